/** @module A keeper that has blocks in different danger begins with those that no further loss may hit. */
import { expect, it } from 'vitest';
import { silentLogger } from '../../../src/common/logger.ts';
import { FreeSpacePlacement } from '../../../src/metadata/placement.ts';
import { AtRiskBlocks } from '../../../src/metadata/repair/at-risk-blocks.ts';
import { BlockExaminer } from '../../../src/metadata/repair/block-examiner.ts';
import type { CopyOrder } from '../../../src/metadata/repair/repair-planner.ts';
import { RepairTurns } from '../../../src/metadata/repair/repair-turns.ts';
import { RepairWorker, type RepairWorkerComponents } from '../../../src/metadata/repair/repair-worker.ts';
import { ManualClock } from '../manual-clock.ts';
import { seededRandom } from '../seeded-random.ts';

const SINGLE = 'a'.repeat(64);
const DOUBLE = 'b'.repeat(64);
const NODES = [1, 2, 3, 4];
const COPIES = 3;

it('helps a block with two copies once every block with one has got its second', async () => {
  const clock = new ManualClock();
  const holders: Record<string, number[]> = { [SINGLE]: [1], [DOUBLE]: [1, 2] };
  const started: CopyOrder[] = [];
  let running: CopyOrder[] = [];
  const wanted = (hash: string) => ({ hash, sizeBytes: 1, copies: COPIES });
  const states = {
    isLive: () => true,
    isCounted: () => true,
    liveness: () => 'alive',
    candidates: () => NODES.map((node) => ({ node, host: `h${node}`, freeBytes: 1e9, expectedBytes: 0 })),
  };
  const base = {
    machine: { wantedBlocks: async (hashes: readonly string[]) => hashes.map(wanted) },
    members: { withRole: () => [], byNumber: () => undefined },
    registry: { expect: () => {}, get: () => undefined },
    states,
    barrier: { wait: async () => {} },
    keeper: { shards: () => new Set(Array.from({ length: 4096 }, (_, shard) => shard)) },
    index: {
      isComplete: () => true,
      holders: (hashes: readonly string[]) => hashes.map((hash) => holders[hash] ?? []),
    },
    atRisk: new AtRiskBlocks(),
    losses: { isBusy: false },
    lostCopies: { isBusy: false, look: async () => {} },
    badCopies: { isBad: () => false, forgive: () => {} },
    copies: {
      get orders() {
        return running;
      },
      callOff: () => {},
      hasFailed: () => false,
      work: () => new Map(),
      oneEnds: async () => {},
      start: (order: CopyOrder) => {
        started.push(order);
        running.push(order);
      },
    },
    placement: new FreeSpacePlacement(),
    random: seededRandom(1),
    network: { localPeer: 'one' },
    clock,
    logger: silentLogger,
  } as unknown as Omit<RepairWorkerComponents, 'examiner' | 'turns'> & {
    readonly network: ConstructorParameters<typeof RepairTurns>[0]['network'];
  };
  const examiner = new BlockExaminer(base);
  const worker = new RepairWorker({ ...base, examiner, turns: new RepairTurns(base) });
  examiner.examine([wanted(DOUBLE), wanted(SINGLE)], 0);
  const { signal } = new AbortController();
  const helped = (): string[] => [...new Set(started.map(({ hash }) => hash))];

  await worker.work(signal);
  await worker.work(signal);
  expect(helped()).toEqual([SINGLE]);
  const [arrived] = started as [CopyOrder];
  holders[SINGLE]?.push(arrived.target);
  running = running.filter((order) => order !== arrived);
  await worker.work(signal);
  expect(helped()).toEqual([SINGLE, DOUBLE]);
});
