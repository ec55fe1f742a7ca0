/** @module What balance moves, in which order, and what it waits for. */
import { beforeEach, describe, expect, it } from 'vitest';
import { AtRiskBlocks } from '../../../src/metadata/repair/at-risk-blocks.ts';
import { BalanceWorker } from '../../../src/metadata/repair/balance-worker.ts';
import type { CopyRunner } from '../../../src/metadata/repair/copy-runner.ts';
import type { Move } from '../../../src/metadata/repair/move-finder.ts';
import { SHARD_COUNT } from '../../../dht/shard.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { ManualClock } from '../../manual-clock.ts';

const MIB = 1024 * 1024;
const BLOCK_BYTES = 8 * MIB;
const BLOCKS = 66;
const CAPACITY_BYTES = 100_000 * MIB;
const { signal } = new AbortController();

/** Blocks with two copies each, as many on each of three datanodes; the fourth is empty. */
const holders = new Map(
  Array.from({ length: BLOCKS }, (_, at) => [
    at.toString(16).padStart(64, '0'),
    [1, 2, 3].filter((node) => node !== (at % 3) + 1),
  ]),
);
const usedBytes = (node: number): number =>
  [...holders.values()].filter((nodes) => nodes.includes(node)).length * BLOCK_BYTES;

describe('balance', () => {
  let begun: Move[];
  let running: Move[];
  let failed: Set<string>;
  let lookups: number;
  let atRisk: AtRiskBlocks;
  let worker: BalanceWorker;

  beforeEach(() => {
    begun = [];
    running = [];
    failed = new Set();
    lookups = 0;
    atRisk = new AtRiskBlocks();
    const candidates = [1, 2, 3, 4].map((node) => ({
      node,
      host: `h${node}`,
      freeBytes: CAPACITY_BYTES,
      expectedBytes: 0,
    }));
    const moves: Pick<CopyRunner, 'orders' | 'callOff' | 'start' | 'oneEnds' | 'hasFailed'> = {
      get orders() {
        return running;
      },
      callOff: () => void (running = []),
      start: (move) => {
        begun.push(move as Move);
        running.push(move as Move);
      },
      oneEnds: async () => void running.shift(),
      hasFailed: (hash) => failed.has(hash),
    };
    worker = new BalanceWorker({
      machine: {
        cluster: () => ({ balanceBytesPerSecond: 1e15 }),
        wantedBlocks: async (hashes: readonly string[]) => {
          lookups += 1;
          return hashes.map((hash) => ({ hash, sizeBytes: BLOCK_BYTES, copies: 2 }));
        },
      } as never,
      members: { byNumber: () => undefined } as never,
      registry: {
        get: (node: number) => ({
          host: `h${node}`,
          load: { usedBytes: usedBytes(node), freeBytes: CAPACITY_BYTES - usedBytes(node) },
        }),
      } as never,
      states: { candidates: () => candidates, liveness: () => 'alive', periodMs: 3_000 } as never,
      keeper: { shards: () => new Set(Array.from({ length: SHARD_COUNT }, (_, shard) => shard)) } as never,
      index: {
        isComplete: () => true,
        holders: (hashes) => hashes.map((hash) => holders.get(hash) ?? []),
        blocks: (shard) => (shard === 0 ? [...holders].map(([hash, nodes]) => ({ hash, nodes })) : []),
      },
      atRisk,
      examiner: {
        census: (_hash: string, nodes: readonly number[]) => ({ good: nodes, leaving: [] }),
      } as never,
      moves: moves as CopyRunner,
      surplus: { offer: () => {}, forget: () => {} } as never,
      clock: new ManualClock(),
      logger: silentLogger,
    });
  });

  async function untilIdle(): Promise<void> {
    while ((await worker.work(signal)) === 'busy');
  }

  it('fills an empty datanode to the mean, however large the disks are, from all the others by turns', async () => {
    await untilIdle();
    expect(new Set(begun.map(({ target }) => target))).toEqual(new Set([4]));
    expect(new Set(begun.map(({ hash }) => hash)).size).toBe(begun.length);
    expect(begun.length * BLOCK_BYTES).toBe((2 * BLOCKS * BLOCK_BYTES) / 4);
    expect(new Set(begun.slice(0, 3).map(({ source }) => source)).size).toBe(3);
  });

  it('has no more than a few on their way at once', async () => {
    let most = 0;
    while ((await worker.work(signal)) === 'busy') most = Math.max(most, running.length);
    expect(most).toBe(4);
  });

  it('does not look for the same blocks again while their copies are on their way, or failed a moment ago', async () => {
    const movable = [...holders.keys()].slice(0, 3);
    for (const hash of [...holders.keys()].slice(3)) failed.add(hash);
    await untilIdle();
    expect(begun.map(({ hash }) => hash).toSorted()).toEqual(movable);
    const before = lookups;
    for (let look = 0; look < 10; look += 1) expect(await worker.work(signal)).toBe('idle');
    expect(lookups).toBe(before);
  });

  it('waits for what is at risk and can be helped, and not for what cannot', async () => {
    const block = { hash: 'a', sizeBytes: 1, wanted: 2, left: 1, counted: 1, leaving: [], readyMs: 0 };
    atRisk.put(block);
    expect(await worker.work(signal)).toBe('idle');
    expect(begun).toEqual([]);
    atRisk.put({ ...block, stuck: 'no-target' });
    expect(await worker.work(signal)).toBe('busy');
    expect(begun).toHaveLength(1);
  });
});
