/** @module The table against a slow obvious model. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LocationTable } from '../../dht/location-table.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import { shardOfHash, SHARD_COUNT } from '../../dht/shard.ts';
import { ShardDigests } from '../../dht/shard-digests.ts';
import { ShardSet } from '../../dht/shard-set.ts';
import { hashOf } from './index-world.ts';

// Some share a shard, so that probing, widening and clearing away the dead are exercised beside the living.
const HASHES = [
  ...Array.from({ length: 6 }, (_, each) => hashOf(each)),
  ...Array.from({ length: 14 }, (_, each) => `abc${hashOf(each).slice(3)}`),
];
const NODES = [1, 2, 3, 4, 5];

interface Announcement {
  readonly node: number;
  readonly generation: number;
  readonly sequence: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly whole: readonly string[];
}

/** hash -> numbers of the datanodes that hold it. */
class Model {
  readonly records = new Map<string, Set<number>>(HASHES.map((hash) => [hash, new Set()]));
  readonly nodes = new Map<number, { generation: number; sequence: number }>();

  announce({ node, generation, sequence, added, removed, whole }: Announcement): void {
    const last = this.nodes.get(node) ?? { generation: 0, sequence: 0 };
    if (generation < last.generation) return;
    if (generation === last.generation && sequence <= last.sequence) return;
    this.nodes.set(node, { generation, sequence });
    for (const hash of removed) this.records.get(hash)?.delete(node);
    for (const [hash, nodes] of this.records)
      if (whole.some((prefix) => hash.startsWith(prefix))) nodes.delete(node);
    for (const hash of added) this.records.get(hash)?.add(node);
  }

  heldBy(node: number): string[] {
    return HASHES.filter((hash) => this.records.get(hash)?.has(node));
  }
}

const node = fc.constantFrom(...NODES);
const hashes = fc.subarray(HASHES);
const prefix = fc
  .tuple(fc.constantFrom(...HASHES), fc.constantFrom(3, 4, 5))
  .map(([hash, digits]) => hash.slice(0, digits));
const announcement = fc.record({
  kind: fc.constant('announce' as const),
  node,
  generation: fc.integer({ min: 1, max: 3 }),
  sequence: fc.integer({ min: 1, max: 20 }),
  added: hashes,
  removed: hashes,
  whole: fc.array(prefix, { maxLength: 2 }),
});
const drop = fc.record({ kind: fc.constant('drop' as const), node });
const dropShard = fc.record({ kind: fc.constant('drop-shard' as const), hash: fc.constantFrom(...HASHES) });
const moveShard = fc.record({
  kind: fc.constant('move-shard' as const),
  hash: fc.constantFrom(...HASHES),
  denied: fc.subarray(NODES),
});
const anyStep = fc.oneof(
  { weight: 8, arbitrary: announcement },
  { weight: 1, arbitrary: drop },
  dropShard,
  moveShard,
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

function take(step: Step, table: LocationTable, model: Model): void {
  switch (step.kind) {
    case 'announce': {
      const packed = { added: packHashes(step.added), removed: packHashes(step.removed) };
      table.announce({ ...step, ...packed, whole: [...step.whole], epoch: 1 });
      model.announce(step);
      return;
    }
    case 'drop':
      table.drop(step.node);
      model.nodes.delete(step.node);
      for (const nodes of model.records.values()) nodes.delete(step.node);
      return;
    case 'drop-shard':
      table.dropShard(shardOfHash(step.hash));
      for (const [hash, nodes] of model.records)
        if (shardOfHash(hash) === shardOfHash(step.hash)) nodes.clear();
      return;
    case 'move-shard': {
      // Out to another holder, and back, as when closeness changes twice; of some datanodes nothing is taken over.
      const shard = shardOfHash(step.hash);
      const other = new LocationTable({ secret: new Uint8Array(32).fill(9) });
      other.merge(table.below(step.hash.slice(0, 3), 100) ?? never(), () => true);
      table.dropShard(shard);
      table.merge(other.below(step.hash.slice(0, 3), 100) ?? never(), (each) => !step.denied.includes(each));
      for (const [hash, nodes] of model.records)
        if (shardOfHash(hash) === shard) for (const denied of step.denied) nodes.delete(denied);
      return;
    }
    default:
      step satisfies never;
  }
}

it('knows after any sequence of batches, drops and moves what the model knows', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
      const table = new LocationTable();
      const model = new Model();
      for (const step of steps) {
        take(step, table, model);
        expectSame(table, model);
      }
      expectSameDigests(table, model);
    }),
    { numRuns: 100 },
  );
});

function expectSame(table: LocationTable, model: Model): void {
  let records = 0;
  const { counts, nodes } = table.lookup(packHashes(HASHES));
  let next = 0;
  HASHES.forEach((hash, index) => {
    const end = next + (counts[index] ?? 0);
    const expected = [...(model.records.get(hash) ?? [])].toSorted();
    expect(nodes.slice(next, end).toSorted()).toEqual(expected);
    next = end;
    records += expected.length;
  });
  expect(table.recordCount).toBe(records);
  const listed = [...new Set(HASHES.map(shardOfHash))].flatMap((shard) => table.blocks(shard));
  expect(listed.reduce((sum, block) => sum + block.nodes.length, 0)).toBe(records);
}

/** As a datanode computes them from what it holds. */
function expectSameDigests(table: LocationTable, model: Model): void {
  const shards = new ShardSet(Array.from({ length: SHARD_COUNT }, (_, shard) => shard));
  for (const each of NODES) {
    const digests = new ShardDigests();
    const packed = packHashes(model.heldBy(each));
    const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
    model.heldBy(each).forEach((hash, at) => digests.add(shardOfHash(hash), view, at * 32));
    expect(table.node(each)?.records ?? 0).toBe(model.heldBy(each).length);
    expect(Buffer.from(table.node(each)?.digests.root(shards) ?? new ShardDigests().root(shards))).toEqual(
      Buffer.from(digests.root(shards)),
    );
  }
}

function never(): never {
  throw new Error('so few records are never too many for one answer');
}
