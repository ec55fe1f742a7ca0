/** @module The health checks of `cluster status`. */
import { describe, expect, it } from 'vitest';
import { statusScreen } from '../../cli/cluster-status.ts';
import { healthChecks } from '../../cli/health.ts';
import { StatusResponse } from '../../src/protocol/messages.ts';

type Partial = Parameters<typeof StatusResponse.fromPartial>[0];

const WELL: Partial = {
  leader: 1,
  term: 4,
  metadataNodes: [1, 2, 3].map((number) => meta(number, number === 1 ? 'leader' : 'voter', true)),
  dataNodes: [4, 5].map((number) => data(number, 'alive', 50)),
  atRiskComplete: true,
};

function meta(number: number, raftRole: string, reachable: boolean): object {
  return { member: { number, name: `m${number}` }, raftRole, reachable };
}

function data(number: number, liveness: string, freeBytes: number): object {
  return { member: { number, name: `d${number}` }, liveness, capacityBytes: 100, freeBytes };
}

function health(changes: Partial): Record<string, string> {
  const checks = healthChecks(StatusResponse.fromPartial({ ...WELL, ...changes }));
  return Object.fromEntries(checks.map((check) => [check.name, check.health]));
}

describe('health', () => {
  it('is all ok in a cluster that is well', () => {
    expect(health({})).toEqual({
      quorum: 'ok',
      leader: 'ok',
      datanodes: 'ok',
      capacity: 'ok',
      'under-replicated': 'ok',
      missing: 'ok',
      relays: 'ok',
      scrub: 'ok',
    });
  });

  it('warns of a recovery that is still open, and says nothing of one that is not', () => {
    expect(health({ cluster: { collection: { recovering: true } } })['recovery']).toBe('warn');
    expect(health({})['recovery']).toBeUndefined();
  });

  it('warns when one voter is away, fails when a majority is', () => {
    const [one, two, three] = [meta(1, 'leader', true), meta(2, 'voter', false), meta(3, 'voter', false)];
    expect(health({ metadataNodes: [one, two, meta(3, 'voter', true)] })['quorum']).toBe('warn');
    expect(health({ metadataNodes: [one, two, three] })['quorum']).toBe('fail');
  });

  it('says with a bare majority left that it is one, and what takes the lost place', () => {
    const metadataNodes = [meta(1, 'leader', true), meta(2, 'voter', true), meta(3, 'voter', false)];
    const advice = (more: Partial): string =>
      healthChecks(StatusResponse.fromPartial({ ...WELL, metadataNodes, ...more }))[0]?.advice ?? '';
    expect(advice({})).toMatch(/^A bare majority is left: .* Start 3 \(m3\)\.$/);
    const membership = { voterReplacementMs: 300_000 };
    expect(advice({ membership: { ...membership, silent: [{ node: 3, silentMs: 60_000 }] } })).toContain(
      'join another metadata node',
    );
    const silent = [{ node: 3, silentMs: 60_000, replacement: 4 }];
    expect(advice({ membership: { ...membership, silent } })).toContain(
      'node 4 takes the place of 3 in 4 min',
    );
    const four = [...metadataNodes, meta(4, 'voter', true), meta(5, 'voter', true)];
    expect(advice({ metadataNodes: four })).toBe('Start 3 (m3).');
  });

  it('names the way back when a majority is gone', () => {
    const metadataNodes = [meta(1, 'voter', true), meta(2, 'voter', false), meta(3, 'voter', false)];
    const [check] = healthChecks(StatusResponse.fromPartial({ ...WELL, leader: 0, metadataNodes }));
    expect(check?.advice).toContain('holdfast cluster recover');
  });

  it('does not count learners towards the quorum', () => {
    const nodes = [meta(1, 'leader', true), meta(2, 'learner', false)];
    expect(health({ metadataNodes: nodes })['quorum']).toBe('warn');
  });

  it('fails without a leader, without a living datanode, with a missing block', () => {
    expect(health({ leader: 0 })['leader']).toBe('fail');
    expect(health({ dataNodes: [data(4, 'dead', 50)] })).toMatchObject({
      datanodes: 'fail',
      capacity: 'fail',
    });
    expect(health({ blocksMissing: 1 })['missing']).toBe('fail');
  });

  it('asks for larger disks where datanodes run that have no room at all', () => {
    const advice = (dataNode: object): string | undefined =>
      healthChecks(StatusResponse.fromPartial({ ...WELL, dataNodes: [dataNode] })).find(
        ({ name }) => name === 'capacity',
      )?.advice;
    expect(advice({ ...data(4, 'alive', 0), capacityBytes: 0 })).toContain('larger disk');
    expect(advice(data(4, 'dead', 50))).toBe('Start a datanode.');
  });

  it('warns of silent datanodes, of short space, of blocks at risk', () => {
    expect(health({ dataNodes: [data(4, 'alive', 50), data(5, 'suspect', 50)] })['datanodes']).toBe('warn');
    expect(health({ dataNodes: [data(4, 'alive', 10)] })['capacity']).toBe('warn');
    expect(health({ dataNodes: [data(4, 'alive', 1)] })['capacity']).toBe('fail');
    expect(health({ blocksUnderReplicated: 3 })['under-replicated']).toBe('warn');
  });

  it('names a datanode whose disk has failed to write, and counts no room there', () => {
    const dataNodes = [data(4, 'alive', 50), { ...data(5, 'alive', 50), readOnly: true }];
    const checks = healthChecks(StatusResponse.fromPartial({ ...WELL, dataNodes }));
    const of = (name: string) => checks.find((each) => each.name === name);
    expect(of('datanodes')).toMatchObject({
      health: 'warn',
      advice: expect.stringContaining('disk of 5 (d5)'),
    });
    expect(of('capacity')?.finding).toMatch(/^50 B of 200 B/);
  });

  it('says for everything that is not ok what to do', () => {
    const status = StatusResponse.fromPartial({
      leader: 0,
      dataNodes: [data(4, 'dead', 0)],
      blocksMissing: 2,
    });
    for (const check of healthChecks(status)) if (check.health !== 'ok') expect(check.advice).not.toBe('');
  });

  it('fits on one screen and says when it is stale', () => {
    const status = StatusResponse.fromPartial(WELL);
    const screen = statusScreen(status, healthChecks(status), true);
    expect(screen.join('\n')).toContain('No quorum answers');
    expect(screen.length).toBeLessThan(24);
  });

  it('says which feature level is in force, and who holds a higher one back', () => {
    const levels = (active: number | undefined, supported: readonly (number | undefined)[]): string => {
      const metadataNodes = supported.map((featureLevel, at) => ({
        member: { number: at + 1, name: `m${at + 1}` },
        ...(featureLevel !== undefined && { position: { featureLevel } }),
      }));
      const cluster = active === undefined ? {} : { featureLevel: active };
      const status = StatusResponse.fromPartial({ ...WELL, cluster, metadataNodes });
      return (
        statusScreen(status, healthChecks(status), false).find((line) => line.startsWith('Feature')) ?? ''
      );
    };
    expect(levels(2, [2, 2, 2])).toBe('Feature level 2.');
    // Releases of the first level say nothing of it; who is away could be one.
    expect(levels(undefined, [2, 0, undefined])).toMatch(
      /^Feature level 1\. Level 2 waits for node 2 \(m2\), 3 \(m3\):/,
    );
    expect(levels(1, [2, 2])).toBe('Feature level 1, about to rise.');
    expect(levels(2, [2, undefined])).toBe('Feature level 2.');
  });
});
