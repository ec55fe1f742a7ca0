import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Inflights } from '../../raft/inflights.ts';
import { Progress } from '../../raft/progress.ts';
import type { Message } from '../../raft/types.ts';
import { bytes, ManualCluster, type ManualNode } from '../../simulations/manual-raft.ts';

type Step =
  | { readonly kind: 'send'; readonly count: number; readonly sizeBytes: number }
  | { readonly kind: 'free'; readonly fraction: number };

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('send' as const),
      count: fc.integer({ min: 1, max: 4 }),
      sizeBytes: fc.nat(50),
    }),
    fc.record({ kind: fc.constant('free' as const), fraction: fc.double({ min: 0, max: 1, noNaN: true }) }),
  ),
  { maxLength: 80 },
) as fc.Arbitrary<Step[]>;

it('inflights behave like a plain list cut at its bounds', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 9 }), fc.nat(200), (script, maxCount, maxBytes) => {
      const inflights = new Inflights(maxCount, maxBytes);
      let model: { index: number; sizeBytes: number }[] = [];
      let index = 0;
      for (const step of script) {
        if (step.kind === 'free') {
          const upTo = Math.floor(index * step.fraction);
          inflights.freeUpTo(upTo);
          model = model.filter((message) => message.index > upTo);
        } else if (!inflights.isFull()) {
          index += step.count;
          inflights.add(index, step.sizeBytes);
          model.push({ index, sizeBytes: step.sizeBytes });
        }
        const sizeBytes = model.reduce((sum, message) => sum + message.sizeBytes, 0);
        expect(inflights.count).toBe(model.length);
        expect(inflights.isFull()).toBe(model.length === maxCount || (maxBytes > 0 && sizeBytes >= maxBytes));
      }
    }),
  );
});

it('whatever answers come, in whatever order, match stays below next and never goes back', () => {
  const answer = fc.record({ rejected: fc.boolean(), index: fc.nat(40), hint: fc.nat(40) });
  const start = fc.constantFrom('probe', 'replicate', 'snapshot');
  fc.assert(
    fc.property(start, fc.array(answer, { maxLength: 40 }), (state, answers) => {
      const inflights = new Inflights(3, 0);
      const progress = new Progress({ match: 0, next: 20, isLearner: false, recentActive: true, inflights });
      if (state === 'replicate') progress.becomeReplicate();
      if (state === 'snapshot') progress.becomeSnapshot(25);
      for (const { rejected, index, hint } of answers) {
        const { match } = progress;
        if (rejected) progress.maybeDecrementTo(index, hint);
        else progress.maybeUpdate(index);
        if (!progress.isPaused()) progress.sentEntries(inflights.isFull() ? 0 : 1, 1);
        expect(progress.match).toBeGreaterThanOrEqual(match);
        expect(progress.next).toBeGreaterThan(progress.match);
      }
    }),
  );
});

it('probes from behind a snapshot that may have arrived, and from the old place after one that failed', () => {
  const inSnapshot = (): Progress => {
    const inflights = new Inflights(3, 0);
    const progress = new Progress({ match: 4, next: 9, isLearner: false, recentActive: true, inflights });
    progress.becomeSnapshot(25);
    return progress;
  };
  const arrived = inSnapshot();
  arrived.becomeProbe();
  expect(arrived.next).toBe(26);
  const failed = inSnapshot();
  failed.pendingSnapshot = 0;
  failed.becomeProbe();
  expect(failed.next).toBe(5);
});

it('whatever is lost, doubled or late, a leader never thinks a follower has more than its disk, and ends with all', () => {
  /** What becomes of each message in turn: delivered, lost, delivered twice, or put off to the next round. */
  const fates = fc.array(fc.constantFrom('deliver', 'lose', 'double', 'delay'), { maxLength: 120 });
  fc.assert(
    fc.property(fates, fc.integer({ min: 1, max: 3 }), fc.boolean(), (script, maxInflightMsgs, compacts) => {
      const cluster = ManualCluster.of(3, { maxInflightMsgs, maxSizePerMsgBytes: 0 });
      const leader = cluster.elect(1);
      let waiting: Message[] = [];
      const check = (): void => {
        for (const { id, match } of leader.raw.status().progress)
          expect(match).toBeLessThanOrEqual(cluster.node(id).storage.lastIndex());
      };
      for (let at = 0; at < script.length; ) {
        leader.raw.propose(bytes('x'));
        leader.raw.tick();
        const round = [...waiting, ...[...cluster.nodes.values()].flatMap((node) => node.flush())];
        waiting = [];
        for (const m of round) {
          const fate = script[at++] ?? 'deliver';
          if (fate === 'delay') waiting.push(m);
          for (let times = fate === 'double' ? 2 : fate === 'deliver' ? 1 : 0; times > 0; times--)
            cluster.node(m.to).raw.step(m);
          if (fate === 'lose' && m.type === 'MsgSnap') leader.raw.reportSnapshot(m.to, false);
          check();
        }
        if (compacts) compactApplied(leader);
      }
      for (let i = 0; i < 3 * script.length + 10; i++) {
        leader.raw.tick();
        cluster.settle();
      }
      check();
      for (const { match } of leader.raw.status().progress) expect(match).toBe(leader.storage.lastIndex());
    }),
    { numRuns: 50 },
  );
});

/** So that whoever lags needs a snapshot. */
function compactApplied({ raw, storage }: ManualNode): void {
  const { applied, confState } = raw.status();
  if (applied < storage.firstIndex()) return;
  storage.createSnapshot(applied, confState, bytes(''));
  storage.compact(applied);
}
