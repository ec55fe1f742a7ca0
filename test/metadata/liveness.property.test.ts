/** @module What becomes of silent datanodes: a model of who is heard by whom, against the judge. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  heartbeatPeriodMs,
  judge,
  type LivenessEvidence,
  livenessSettings,
  MAX_HEARTBEATS_PER_SECOND,
} from '../../src/metadata/liveness-judge.ts';
import { SilenceReports } from '../../src/metadata/silence-reports.ts';
import { Cluster, Member } from '../../src/namespace/schema.ts';
import { NEIGHBOURS_EACH_SIDE, neighbours } from '../../src/datanode/node-ring.ts';
import { NEIGHBOUR_SILENT_MS, WATCH_PERIOD_MS } from '../../src/datanode/neighbour-watch.ts';
import { ManualClock } from '../manual-clock.ts';

const SETTINGS = livenessSettings(undefined);
const PERIOD_MS = heartbeatPeriodMs(SETTINGS, 5);

function evidence(silentMs: number, more: Partial<LivenessEvidence> = {}): LivenessEvidence {
  return {
    liveness: 'alive',
    silentMs,
    wasHeard: true,
    isReportedSilent: false,
    periodMs: PERIOD_MS,
    ...more,
  };
}

describe('a datanode', () => {
  it('is suspect after ten seconds of silence, dead after thirty, alive with the first word', () => {
    expect(judge(evidence(9_999), SETTINGS)).toBeUndefined();
    expect(judge(evidence(10_000), SETTINGS)).toBe('suspect');
    expect(judge(evidence(29_999, { liveness: 'suspect' }), SETTINGS)).toBeUndefined();
    expect(judge(evidence(30_000, { liveness: 'suspect' }), SETTINGS)).toBe('dead');
    expect(judge(evidence(0, { liveness: 'dead' }), SETTINGS)).toBe('alive');
  });

  it('that never came is not dead', () => {
    expect(judge(evidence(1e9, { liveness: undefined, wasHeard: false }), SETTINGS)).toBeUndefined();
    expect(judge(evidence(5, { liveness: undefined }), SETTINGS)).toBe('alive');
  });

  it('is judged by silence and the committed state alone: the same evidence again changes nothing', () => {
    fc.assert(
      fc.property(
        fc.nat(60_000),
        fc.constantFrom('alive', 'suspect', 'dead', undefined),
        fc.boolean(),
        fc.boolean(),
        (silentMs, liveness, wasHeard, isReportedSilent) => {
          const seen = evidence(silentMs, { liveness, wasHeard, isReportedSilent });
          const next = judge(seen, SETTINGS);
          if (next === undefined) return;
          expect(judge({ ...seen, liveness: next }, SETTINGS)).toBeUndefined();
          // Nobody is declared dead while any metadata node has heard of it in time, whatever neighbours say.
          if (next === 'dead') expect(silentMs).toBeGreaterThanOrEqual(SETTINGS.deadAfterMs);
          if (silentMs <= PERIOD_MS) expect(next).toBe('alive');
        },
      ),
    );
  });

  it('has its time from the settings of the cluster, and reports often enough for them', () => {
    const quick = livenessSettings(Cluster.fromPartial({ suspectAfterMs: 1_000, deadAfterMs: 3_000 }));
    expect(judge(evidence(3_000), quick)).toBe('dead');
    expect(heartbeatPeriodMs(quick, 5) * 3).toBeLessThanOrEqual(1_000);
    expect(heartbeatPeriodMs(SETTINGS, 5)).toBe(3_000);
  });
});

describe('neighbours on the ring', () => {
  it('are two on each side, and watch each other', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(5_000), { minLength: 1, maxLength: 60 }), (nodes) => {
        for (const self of nodes) {
          const mine = neighbours(nodes, self);
          expect(mine).toHaveLength(Math.min(2 * NEIGHBOURS_EACH_SIDE, nodes.length - 1));
          for (const other of mine) expect(neighbours(nodes, other)).toContain(self);
        }
      }),
    );
  });

  const world = (): { reports: SilenceReports; clock: ManualClock } => {
    const clock = new ManualClock();
    // Nodes 1 and 2 are on one machine, all others on machines of their own.
    const byNumber = (number: number): Member =>
      Member.fromPartial({ host: number <= 2 ? 'a' : `h${number}` });
    return { clock, reports: new SilenceReports({ clock, members: { byNumber } as never }) };
  };

  it('make a datanode suspect when two machines miss it, never one liar or one cut link', async () => {
    const { reports, clock } = world();
    reports.note(1, [7]);
    expect(reports.isReportedSilent(7)).toBe(false);
    reports.note(2, [7]);
    expect(reports.isReportedSilent(7)).toBe(false);
    reports.note(3, [7]);
    expect(reports.isReportedSilent(7)).toBe(true);
    reports.note(3, []);
    expect(reports.isReportedSilent(7)).toBe(false);
    reports.note(3, [7]);
    await clock.advance(10_000);
    expect(reports.isReportedSilent(7)).toBe(false);
  });

  it('are not believed against a heartbeat, however many lie', () => {
    expect(judge(evidence(PERIOD_MS, { isReportedSilent: true }), SETTINGS)).toBeUndefined();
    expect(judge(evidence(PERIOD_MS + 1, { isReportedSilent: true }), SETTINGS)).toBe('suspect');
    expect(
      judge(evidence(29_000, { isReportedSilent: true, liveness: 'suspect' }), SETTINGS),
    ).toBeUndefined();
  });

  it('know of a death in seconds while the load of a metadata node stays flat, up to 1,000 datanodes', () => {
    const loads = [5, 50, 200, 600, 1_000].map((count) => {
      const periodMs = heartbeatPeriodMs(SETTINGS, count);
      const perSecond = (count * 1_000) / periodMs;
      // Silence is noticed with the next exchange after its time, and believed once a heartbeat is missed as well.
      const suspectMs = Math.max(NEIGHBOUR_SILENT_MS + WATCH_PERIOD_MS, periodMs + 200);
      expect(suspectMs).toBeLessThanOrEqual(6_000);
      const exchanges = (neighbours([...Array(count).keys()], 0).length * 1_000) / WATCH_PERIOD_MS;
      expect(exchanges).toBeLessThanOrEqual(4);
      return perSecond;
    });
    expect(Math.max(...loads)).toBeLessThanOrEqual(MAX_HEARTBEATS_PER_SECOND);
    // A death is reported by four neighbours, whatever the size: nothing grows with it but the heartbeats themselves.
    expect(loads.at(-1)).toBe(loads.at(-2));
  });
});
