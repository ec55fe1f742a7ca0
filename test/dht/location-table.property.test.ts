/** @module The table against a slow obvious model. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LocationTable } from '../../dht/location-table.ts';
import type { AnnounceRequest } from '../../dht/messages.ts';
import { packHashes, unpackHashes } from '../../dht/packed-hashes.ts';
import { shardOfHash } from '../../dht/shard.ts';
import { hashOf } from './index-world.ts';

// Some share a shard, so that clearing away the dead is exercised beside the living.
const HASHES = [
  ...Array.from({ length: 6 }, (_, each) => hashOf(each)),
  ...Array.from({ length: 6 }, (_, each) => `abc${hashOf(each).slice(3)}`),
];

/** hash -> node -> generation that announced it last. */
class Model {
  readonly records = new Map<string, Map<number, number>>();
  readonly nodes = new Map<number, { generation: number; sequence: number }>();

  announce(batch: AnnounceRequest): void {
    const state = this.nodes.get(batch.node) ?? { generation: 0, sequence: 0 };
    if (batch.generation < state.generation) return;
    if (batch.generation === state.generation && batch.sequence <= state.sequence) return;
    this.nodes.set(batch.node, { generation: batch.generation, sequence: batch.sequence });
    for (const hash of unpackHashes(batch.removed)) this.records.get(hash)?.delete(batch.node);
    for (const hash of unpackHashes(batch.added)) {
      const holders = this.records.get(hash) ?? new Map<number, number>();
      this.records.set(hash, holders.set(batch.node, batch.generation));
    }
    if (batch.reset) this.forget((node, generation) => node === batch.node && generation < batch.generation);
  }

  forget(condition: (node: number, generation: number) => boolean): void {
    for (const holders of this.records.values())
      for (const [node, generation] of holders) if (condition(node, generation)) holders.delete(node);
  }
}

const hashes = fc.subarray(HASHES);
const announcement = fc.record({
  kind: fc.constant('announce' as const),
  node: fc.integer({ min: 1, max: 4 }),
  generation: fc.integer({ min: 1, max: 4 }),
  sequence: fc.integer({ min: 1, max: 12 }),
  added: hashes,
  removed: hashes,
  reset: fc.boolean(),
});
const drop = fc.record({ kind: fc.constant('drop' as const), node: fc.integer({ min: 1, max: 4 }) });
const dropShard = fc.record({ kind: fc.constant('drop-shard' as const), hash: fc.constantFrom(...HASHES) });

it('knows after any sequence of batches, drops and hand-overs what the model knows', () => {
  const steps = fc.array(
    fc.oneof({ weight: 8, arbitrary: announcement }, { weight: 1, arbitrary: drop }, dropShard),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, (commands) => {
      const table = new LocationTable();
      const model = new Model();
      for (const command of commands) {
        if (command.kind === 'announce') {
          const { added, removed, ...rest } = command;
          const batch = { ...rest, added: packHashes(added), removed: packHashes(removed) };
          table.announce(batch);
          model.announce(batch);
        } else if (command.kind === 'drop') {
          table.drop(command.node);
          model.nodes.delete(command.node);
          model.forget((node) => node === command.node);
        } else {
          const shard = shardOfHash(command.hash);
          table.dropShard(shard);
          for (const hash of HASHES) if (shardOfHash(hash) === shard) model.records.delete(hash);
        }
        expectSame(table, model);
      }
    }),
    { numRuns: 300 },
  );
});

function expectSame(table: LocationTable, model: Model): void {
  let records = 0;
  const { counts, nodes } = table.lookup(packHashes(HASHES));
  let next = 0;
  HASHES.forEach((hash, index) => {
    const end = next + (counts[index] ?? 0);
    const expected = [...(model.records.get(hash)?.keys() ?? [])].toSorted();
    expect(nodes.slice(next, end).toSorted()).toEqual(expected);
    next = end;
    records += expected.length;
  });
  expect(table.recordCount).toBe(records);
  const listed = [...new Set(HASHES.map(shardOfHash))].flatMap((shard) => [...table.blocks(shard)]);
  expect(listed.reduce((sum, block) => sum + block.nodes.length, 0)).toBe(records);
}
