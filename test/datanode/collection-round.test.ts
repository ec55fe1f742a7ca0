/** @module How a round of garbage collection is spread over time. */
import { expect, it } from 'vitest';
import { systemClock as clock } from '../../src/common/clock.ts';
import { silentLogger as logger } from '../../src/common/logger.ts';
import { GarbageCollector } from '../../src/datanode/garbage-collector.ts';
import { WriteEras } from '../../src/datanode/write-eras.ts';
import { collectionOf } from '../../src/namespace/collection.ts';
import { MemoryBlockStore } from '../../src/storage/memory-block-store.ts';

it('waits between two questions for as long as the last answer asked it to', async () => {
  const pauses = [70, 30];
  const collector = new GarbageCollector({
    blocks: new MemoryBlockStore(),
    eras: new WriteEras(),
    references: {
      read: async (hashes) => ({
        copies: hashes.map(() => 1),
        index: 1,
        epoch: 1,
        collection: collectionOf(undefined),
        pauseMs: pauses.shift() ?? 0,
      }),
    },
    spares: { areEnough: async () => true },
    indexer: { announce: async () => true, withdraw: () => {} },
    clock,
    logger,
  });
  expect(collector.pauseMs).toBe(0);
  const { signal } = new AbortController();
  for (const expected of [70, 70])
    expect([await collector.work(signal), collector.pauseMs]).toEqual(['busy', expected]);
  expect(await collector.work(signal)).toBe('idle');
  await collector.work(signal);
  expect(collector.pauseMs).toBe(30);
});
