import { describe, expect, it } from 'vitest';
import { SHARD_COUNT } from '../../dht/shard.ts';
import { ShardDigests } from '../../dht/shard-digests.ts';
import { BITMAP_SIZE_BYTES, ShardSet } from '../../dht/shard-set.ts';

/** Both ends of words, and of the set. */
const EDGES: readonly number[] = [0, 7, 8, 31, 32, 63, 64, 2_047, 4_064, SHARD_COUNT - 1];
const HASH = new DataView(Uint8Array.from({ length: 32 }, (_, at) => at + 1).buffer);

describe('a set of shards', () => {
  it('has what was added and not deleted, in rising order', () => {
    const set = new ShardSet(EDGES.toReversed());
    expect([...set]).toEqual(EDGES);
    expect(set.add(31)).toBe(false);
    set.delete(31);
    set.delete(31);
    expect(set.has(31)).toBe(false);
    expect([...set]).toEqual(EDGES.filter((shard) => shard !== 31));
    expect(set.size).toBe(EDGES.length - 1);
  });

  it('is unlike another in what that one lacks, and counts a union once', () => {
    const set = new ShardSet(EDGES);
    const other = new ShardSet([8, 32, 33]);
    expect(set.without(other)).toEqual(EDGES.filter((shard) => shard !== 8 && shard !== 32));
    set.addAll(other);
    expect(set.size).toBe(EDGES.length + 1);
  });

  it('is on the wire a bit for each shard, the lowest first, wherever the bitmap lies', () => {
    const bitmap = new ShardSet(EDGES).encode();
    expect(bitmap.byteLength).toBe(BITMAP_SIZE_BYTES);
    for (let shard = 0; shard < SHARD_COUNT; shard += 1)
      expect(((bitmap[shard >> 3] ?? 0) >> (shard & 7)) & 1, `${shard}`).toBe(EDGES.includes(shard) ? 1 : 0);
    const elsewhere = new Uint8Array(BITMAP_SIZE_BYTES + 3);
    elsewhere.set(bitmap, 3);
    expect([...ShardSet.decode(elsewhere.subarray(3))]).toEqual(EDGES);
  });
});

describe('the root of digests', () => {
  it('is another after each change of the digests or the shards, and the same when it is undone', () => {
    const digests = new ShardDigests();
    const shards = new ShardSet([1, 2]);
    const before = digests.root(shards);
    digests.add(2, HASH, 0);
    const with2 = digests.root(shards);
    expect(with2).not.toEqual(before);
    shards.add(3);
    expect(digests.root(shards)).not.toEqual(with2);
    shards.delete(3);
    digests.remove(2, HASH, 0);
    expect(digests.root(shards)).toEqual(before);
    expect(digests.root(new ShardSet([1]))).not.toEqual(before);
  });

  it('is computed once for each of several sets, as each holder has another', () => {
    const digests = new ShardDigests();
    const sets = [new ShardSet([1, 2]), new ShardSet([2, 3])];
    const roots = sets.map((set) => digests.root(set));
    for (const [at, set] of sets.entries()) expect(digests.root(set)).toBe(roots[at]);
    digests.add(2, HASH, 0);
    for (const [at, set] of sets.entries()) expect(digests.root(set)).not.toEqual(roots[at]);
  });
});
