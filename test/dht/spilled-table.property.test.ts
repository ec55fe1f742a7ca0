/** @module A table most of which is on disk against the model that the one in memory is held against. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { prefixOfShard } from '../../dht/hash-prefix.ts';
import type { LocationTable } from '../../dht/location-table.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import { PatientTable } from '../../dht/patient-table.ts';
import { shardOfHash } from '../../dht/shard.ts';
import { MemoryPageStore } from '../../src/storage/memory-page-store.ts';
import { spillOptions } from './spill-options.ts';
import {
  anyStep,
  expectSameAnswers,
  expectSameDigests,
  expectSameList,
  HASHES,
  Model,
  SHARDS,
  type Step,
} from './table-model.ts';
import { newTable } from './new-table.ts';

async function take(step: Step, table: LocationTable, patient: PatientTable): Promise<void> {
  switch (step.kind) {
    case 'announce': {
      const packed = { added: packHashes(step.added), removed: packHashes(step.removed) };
      await patient.announce({ ...step, ...packed, whole: [...step.whole], epoch: 1 });
      return;
    }
    case 'drop':
      return table.drop(step.node);
    case 'drop-shard':
      return table.dropShard(shardOfHash(step.hash));
    case 'move-shard': {
      const prefix = step.hash.slice(0, 3);
      const records = await patient.withPrefix(prefix, () => {
        const below = table.below(prefix, 100);
        table.dropShard(shardOfHash(step.hash));
        return below;
      });
      if (records === undefined) throw new Error('so few records are never too many for one answer');
      await patient.merge(records, (each) => !step.denied.includes(each));
      return;
    }
    default:
      step satisfies never;
  }
}

/** Turns of the event loop that each read or write takes, and bytes of memory: the shards take some 3,000 in all. */
const anyDisk = fc.record({
  turns: fc.infiniteStream(fc.nat({ max: 12 })),
  memoryBytes: fc.constantFrom(0, 700, 1_500, 2_500, 4_000),
  maxRowsRead: fc.constantFrom(0, 3, 1_000),
});

async function pass(turns: number): Promise<void> {
  for (let each = 0; each < turns; each++) await new Promise(setImmediate);
}

it('knows the same wherever its shards are, and whatever is on its way to disk and back', async () => {
  let spilled = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 40 }), anyDisk, async (steps, disk) => {
      const { memoryBytes, maxRowsRead, turns } = disk;
      const store = new MemoryPageStore({ pause: () => pass(turns.next().value ?? 0) });
      const lost: number[] = [];
      const spill = spillOptions(store, { memoryBytes, maxRowsRead, onLost: (shard) => lost.push(shard) });
      const table = newTable({ spill });
      const patient = new PatientTable(table);
      const model = new Model();
      for (const step of steps) {
        await take(step, table, patient);
        model.take(step);
        await patient.withRows([packHashes(HASHES)], () => expectSameAnswers(table, model));
        for (const shard of SHARDS)
          await patient.withPrefix(prefixOfShard(shard), () => expectSameList(table, model, shard));
        spilled = Math.max(spilled, table.spilledShards);
      }
      expectSameDigests(table, model);
      expect(lost).toEqual([]);
      // Every run that is on disk is some shard's.
      while (table.spill?.room() !== undefined) await pass(1);
      table.spill?.stop();
      await pass(30);
      for (const shard of SHARDS) table.dropShard(shard);
      expect(store.usedBytes).toBe(0);
    }),
    { numRuns: 150 },
  );
  expect(spilled).toBeGreaterThan(2);
});
