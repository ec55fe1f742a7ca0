/** @module The table batch by batch. */
import { describe, expect, it } from 'vitest';
import { HolderRegistry, MAX_HOLDERS } from '../../dht/holder-registry.ts';
import type { LocationTable } from '../../dht/location-table.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import { shardOfHash } from '../../dht/shard.ts';
import { hashOf } from './index-world.ts';
import { newTable } from './new-table.ts';

const A = hashOf('a');
const B = hashOf('b');

interface Words {
  readonly added?: readonly string[];
  readonly removed?: readonly string[];
  readonly whole?: readonly string[];
}

function announce(table: LocationTable, node: number, generation: number, sequence: number, words: Words) {
  return table.announce({
    node,
    generation,
    sequence,
    added: packHashes(words.added ?? []),
    removed: packHashes(words.removed ?? []),
    whole: [...(words.whole ?? [])],
    epoch: 1,
  });
}

function holders(table: LocationTable, hash: string): number[] {
  return table.lookup(packHashes([hash])).nodes;
}

describe('LocationTable', () => {
  it('tells each hash of a batch its own holders', () => {
    const table = newTable();
    announce(table, 1, 1, 1, { added: [A, B] });
    announce(table, 2, 1, 1, { added: [B] });
    expect(table.lookup(packHashes([B, hashOf('c'), A]))).toEqual({ counts: [2, 0, 1], nodes: [1, 2, 1] });
    expect(table.recordCount).toBe(3);
  });

  it('counts what it took, also what it knew already', () => {
    const table = newTable();
    expect(announce(table, 1, 1, 1, { added: [A, B] })).toEqual({ kind: 'taken', taken: 2 });
    expect(announce(table, 1, 1, 2, { added: [A], removed: [B] })).toEqual({ kind: 'taken', taken: 2 });
    expect(holders(table, B)).toEqual([]);
    expect(table.recordCount).toBe(1);
  });

  it('ignores a batch that a later one overtook, so that a withdrawal stays', () => {
    const table = newTable();
    announce(table, 1, 1, 2, { removed: [A] });
    expect(announce(table, 1, 1, 1, { added: [A] })).toEqual({ kind: 'stale-sequence', known: 2 });
    expect(holders(table, A)).toEqual([]);
  });

  it('ignores an earlier start of a datanode', () => {
    const table = newTable();
    announce(table, 1, 5, 1, { added: [A] });
    expect(announce(table, 1, 4, 9, { removed: [A] })).toEqual({ kind: 'stale-generation', known: 5 });
    expect(holders(table, A)).toEqual([1]);
  });

  it('forgets of a whole shard what was not said again, and of others nothing', () => {
    const table = newTable();
    const near = `${A.slice(0, 3)}${B.slice(3)}`;
    announce(table, 1, 1, 1, { added: [A, near, B] });
    announce(table, 2, 1, 1, { added: [near] });
    announce(table, 1, 2, 1, { added: [A], whole: [A.slice(0, 3)] });
    expect([holders(table, A), holders(table, near), holders(table, B)]).toEqual([[1], [2], [1]]);
    expect(table.recordCount).toBe(3);
  });

  it('takes a part of a shard for that part only', () => {
    const table = newTable();
    const shard = A.slice(0, 3);
    const [low, high] = [`${shard}0${B.slice(4)}`, `${shard}f${B.slice(4)}`];
    announce(table, 1, 1, 1, { added: [low, high] });
    announce(table, 1, 1, 2, { whole: [`${shard}0`] });
    expect([holders(table, low), holders(table, high)]).toEqual([[], [1]]);
  });

  it('refuses what is no prefix of a shard, and takes nothing of the batch', () => {
    const table = newTable();
    for (const bad of ['ab', 'xyz', 'ABC', 'a'.repeat(17)])
      expect(() => announce(table, 1, 1, 1, { added: [A], whole: [bad] })).toThrow(
        expect.objectContaining({ code: 'DHT_BAD_BATCH' }),
      );
    expect(table.recordCount).toBe(0);
  });

  it('lets a withdrawal of this start remove what an earlier start announced', () => {
    const table = newTable();
    announce(table, 1, 1, 1, { added: [A] });
    announce(table, 1, 2, 1, { removed: [A] });
    expect(holders(table, A)).toEqual([]);
  });

  it('forgets a dropped datanode at once, and believes it again when it returns', () => {
    const table = newTable();
    announce(table, 1, 1, 9, { added: [A, B] });
    announce(table, 2, 1, 1, { added: [A] });
    table.drop(1);
    expect(holders(table, A)).toEqual([2]);
    expect(table.recordCount).toBe(1);
    announce(table, 1, 1, 1, { added: [B] });
    expect(holders(table, B)).toEqual([1]);
  });

  it('takes no more than it has room for, and finds room again where datanodes are gone', () => {
    const table = newTable({ maxRecords: 2 });
    expect(announce(table, 1, 1, 1, { added: [A, B] })).toEqual({ kind: 'taken', taken: 1 });
    expect(announce(table, 1, 1, 2, { added: [A] })).toEqual({ kind: 'taken', taken: 1 });
    expect(announce(table, 2, 1, 1, { added: [A] })).toEqual({ kind: 'taken', taken: 1 });
    expect(announce(table, 3, 1, 1, { added: [A] })).toEqual({ kind: 'taken', taken: 0 });
    table.drop(1);
    expect(announce(table, 3, 1, 2, { added: [A] })).toEqual({ kind: 'taken', taken: 1 });
  });

  it('leaves the others as much room as a datanode that floods it has taken', () => {
    const table = newTable({ maxRecords: 100 });
    const flood = Array.from({ length: 200 }, (_, each) => hashOf(each));
    announce(table, 1, 1, 1, { added: flood });
    expect(table.recordCount).toBe(50);
    expect(announce(table, 2, 1, 1, { added: flood.slice(0, 20) })).toEqual({ kind: 'taken', taken: 20 });
    announce(table, 1, 1, 2, { removed: flood });
    expect(announce(table, 1, 1, 3, { added: flood.slice(0, 30) })).toEqual({ kind: 'taken', taken: 30 });
  });

  it('lists the blocks of a shard and drops a shard whole', () => {
    const table = newTable();
    announce(table, 1, 1, 1, { added: [A, B] });
    expect([...table.blocks(shardOfHash(A))]).toEqual([{ hash: A, nodes: [1] }]);
    expect(table.shardCount).toBe(2);
    table.dropShard(shardOfHash(A));
    expect([...table.blocks(shardOfHash(A))]).toEqual([]);
    expect(table.recordCount).toBe(1);
    expect(table.shardCount).toBe(1);
  });

  it('outlives more datanodes than it can tell apart at one time', () => {
    const registry = new HolderRegistry();
    for (let each = 1; each <= 2 * MAX_HOLDERS; each++) {
      const id = registry.enlist(each);
      registry.acquire(id);
      registry.bury(id);
      registry.release(id);
    }
    for (let each = 1; each <= MAX_HOLDERS; each++) registry.enlist(each);
    expect(() => registry.enlist(7)).toThrow(expect.objectContaining({ code: 'DHT_TOO_MANY_NODES' }));
  });
});
