/** @module A keeper that has blocks in different danger begins with those that no further loss may hit, and says what fails. */
import { expect, it } from 'vitest';
import { silentLogger } from '../../../src/common/logger.ts';
import { FreeSpacePlacement } from '../../../src/metadata/free-space-placement.ts';
import { AtRiskBlocks } from '../../../src/metadata/repair/at-risk-blocks.ts';
import { BlockExaminer } from '../../../src/metadata/repair/block-examiner.ts';
import type { CopyOrder } from '../../../src/metadata/repair/repair-planner.ts';
import { RepairTurns } from '../../../src/metadata/repair/repair-turns.ts';
import { RepairWorker, type RepairWorkerComponents } from '../../../src/metadata/repair/repair-worker.ts';
import { ManualClock } from '../../manual-clock.ts';
import { seededRandom } from '../seeded-random.ts';

const SINGLE = 'a'.repeat(64);
const DOUBLE = 'b'.repeat(64);
const NODES = [1, 2, 3, 4];
const COPIES = 3;

interface Started extends CopyOrder {
  readonly onCopied: () => Promise<void>;
  readonly onFailed: () => void;
}

/** `holders` may change as copies arrive; an order runs until it is taken out of `started`. */
async function keeperOf(holders: Record<string, number[]>) {
  const clock = new ManualClock();
  const started: Started[] = [];
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
        return started;
      },
      callOff: () => {},
      hasFailed: () => false,
      work: () => new Map(),
      oneEnds: async () => {},
      start: (order: CopyOrder, onCopied: () => Promise<void>, onFailed: () => void) =>
        started.push({ ...order, onCopied, onFailed }),
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
  await examiner.examine(Object.keys(holders).map(wanted), 0);
  return { started, atRisk: base.atRisk, work: () => worker.work(new AbortController().signal) };
}

it('helps a block with two copies once every block with one has got its second', async () => {
  const holders = { [DOUBLE]: [1, 2], [SINGLE]: [1] };
  const { started, work } = await keeperOf(holders);
  await work();
  await work();
  expect(new Set(started.map(({ hash }) => hash))).toEqual(new Set([SINGLE]));
  const [arrived] = started.splice(0, 1) as [Started];
  holders[SINGLE]?.push(arrived.target);
  await work();
  expect(started.map(({ hash }) => hash)).toContain(DOUBLE);
});

it('says of a block that its last copy failed, until one arrives', async () => {
  const holders = { [SINGLE]: [1] };
  const { started, atRisk, work } = await keeperOf(holders);
  await work();
  for (const { onFailed } of started.splice(0)) onFailed();
  expect(atRisk.get(SINGLE)?.stuck).toBe('copy-failed');
  await work();
  expect(atRisk.get(SINGLE)?.stuck).toBe('copy-failed');
  const [arrived] = started.splice(0, 1) as [Started];
  holders[SINGLE]?.push(arrived.target);
  await arrived.onCopied();
  expect(atRisk.get(SINGLE)?.stuck).toBeUndefined();
});
