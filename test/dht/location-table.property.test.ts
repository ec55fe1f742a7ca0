/** @module The table against a slow obvious model. */
import fc from 'fast-check';
import { it } from 'vitest';
import { LocationTable } from '../../dht/location-table.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import { shardOfHash } from '../../dht/shard.ts';
import {
  anyStep,
  expectSameAnswers,
  expectSameDigests,
  expectSameList,
  Model,
  SHARDS,
  type Step,
} from './table-model.ts';
import { newTable } from './new-table.ts';

function take(step: Step, table: LocationTable): void {
  switch (step.kind) {
    case 'announce': {
      const packed = { added: packHashes(step.added), removed: packHashes(step.removed) };
      table.announce({ ...step, ...packed, whole: [...step.whole], epoch: 1 });
      return;
    }
    case 'drop':
      return table.drop(step.node);
    case 'drop-shard':
      return table.dropShard(shardOfHash(step.hash));
    case 'move-shard': {
      // Out to another holder, and back, as when closeness changes twice; of some datanodes nothing is taken over.
      const shard = shardOfHash(step.hash);
      const other = new LocationTable({ secret: new Uint8Array(32).fill(9) });
      other.merge(table.below(step.hash.slice(0, 3), 100) ?? never(), () => true);
      table.dropShard(shard);
      table.merge(other.below(step.hash.slice(0, 3), 100) ?? never(), (each) => !step.denied.includes(each));
      return;
    }
    default:
      step satisfies never;
  }
}

it('knows after any sequence of batches, drops and moves what the model knows', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
      const table = newTable();
      const model = new Model();
      for (const step of steps) {
        take(step, table);
        model.take(step);
        expectSameAnswers(table, model);
        for (const shard of SHARDS) expectSameList(table, model, shard);
      }
      expectSameDigests(table, model);
    }),
    { numRuns: 100 },
  );
});

function never(): never {
  throw new Error('so few records are never too many for one answer');
}
