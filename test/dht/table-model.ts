/** @module A slow obvious model of the location table, and whatever can happen to a table. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { LocationTable } from '../../dht/location-table.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import { shardOfHash, SHARD_COUNT } from '../../dht/shard.ts';
import { ShardDigests } from '../../dht/shard-digests.ts';
import { ShardSet } from '../../dht/shard-set.ts';
import { hashOf } from './index-world.ts';

// Some share a shard, so that probing, widening and clearing away the dead are exercised beside the living.
export const HASHES: readonly string[] = [
  ...Array.from({ length: 6 }, (_, each) => hashOf(each)),
  ...Array.from({ length: 14 }, (_, each) => `abc${hashOf(each).slice(3)}`),
];
export const NODES: readonly number[] = [1, 2, 3, 4, 5];

export interface Announcement {
  readonly node: number;
  readonly generation: number;
  readonly sequence: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly whole: readonly string[];
}

export type Step =
  | (Announcement & { readonly kind: 'announce' })
  | { readonly kind: 'drop'; readonly node: number }
  | { readonly kind: 'drop-shard'; readonly hash: string }
  | { readonly kind: 'move-shard'; readonly hash: string; readonly denied: readonly number[] };

/** hash -> numbers of the datanodes that hold it. */
export class Model {
  readonly records: Map<string, Set<number>> = new Map(HASHES.map((hash) => [hash, new Set<number>()]));
  readonly nodes: Map<number, { generation: number; sequence: number }> = new Map();

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

  take(step: Step): void {
    switch (step.kind) {
      case 'announce':
        return this.announce(step);
      case 'drop':
        this.nodes.delete(step.node);
        for (const nodes of this.records.values()) nodes.delete(step.node);
        return;
      case 'drop-shard':
        for (const nodes of this.#ofShard(step.hash)) nodes.clear();
        return;
      case 'move-shard':
        for (const nodes of this.#ofShard(step.hash)) for (const denied of step.denied) nodes.delete(denied);
        return;
      default:
        step satisfies never;
    }
  }

  #ofShard(like: string): Set<number>[] {
    return [...this.records]
      .filter(([hash]) => shardOfHash(hash) === shardOfHash(like))
      .map(([, nodes]) => nodes);
  }

  heldBy(node: number): string[] {
    return HASHES.filter((hash) => this.records.get(hash)?.has(node));
  }
}

const node = fc.constantFrom(...NODES);
const hashes = fc.subarray([...HASHES]);
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
  denied: fc.subarray([...NODES]),
});
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: announcement },
  { weight: 1, arbitrary: drop },
  dropShard,
  moveShard,
);

/** Answers of a table whose rows of HASHES are at hand. */
export function expectSameAnswers(table: LocationTable, model: Model): void {
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
}

/** As a datanode computes them from what it holds. */
export function expectSameDigests(table: LocationTable, model: Model): void {
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

/** What is listed of a shard, all of whose rows are at hand. */
export function expectSameList(table: LocationTable, model: Model, shard: number): void {
  const listed = table.blocks(shard).map(({ hash, nodes }) => [hash, nodes.toSorted()]);
  const known = [...model.records].filter(([hash, nodes]) => shardOfHash(hash) === shard && nodes.size > 0);
  const expected = known.map(([hash, nodes]) => [hash, [...nodes].toSorted()]);
  expect(new Map(listed as [string, number[]][])).toEqual(new Map(expected as [string, number[]][]));
}

export const SHARDS: readonly number[] = [...new Set(HASHES.map(shardOfHash))];
