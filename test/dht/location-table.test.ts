/** @module The table batch by batch. */
import { describe, expect, it } from 'vitest';
import { MAX_HOLDERS } from '../../dht/holder-registry.ts';
import { LocationTable } from '../../dht/location-table.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import { shardOfHash } from '../../dht/shard.ts';
import { hashOf } from './index-world.ts';

const A = hashOf('a');
const B = hashOf('b');

interface Words {
  readonly added?: readonly string[];
  readonly removed?: readonly string[];
  readonly reset?: boolean;
}

function announce(table: LocationTable, node: number, generation: number, sequence: number, words: Words) {
  return table.announce({
    node,
    generation,
    sequence,
    added: packHashes(words.added ?? []),
    removed: packHashes(words.removed ?? []),
    reset: words.reset ?? false,
  });
}

function holders(table: LocationTable, hash: string): number[] {
  return table.lookup(packHashes([hash])).nodes;
}

describe('LocationTable', () => {
  it('tells each hash of a batch its own holders', () => {
    const table = new LocationTable();
    announce(table, 1, 1, 1, { added: [A, B] });
    announce(table, 2, 1, 1, { added: [B] });
    expect(table.lookup(packHashes([B, hashOf('c'), A]))).toEqual({ counts: [2, 0, 1], nodes: [1, 2, 1] });
    expect(table.recordCount).toBe(3);
  });

  it('counts what it took, also what it knew already', () => {
    const table = new LocationTable();
    expect(announce(table, 1, 1, 1, { added: [A, B] })).toEqual({ kind: 'taken', taken: 2 });
    expect(announce(table, 1, 1, 2, { added: [A], removed: [B] })).toEqual({ kind: 'taken', taken: 2 });
    expect(holders(table, B)).toEqual([]);
    expect(table.recordCount).toBe(1);
  });

  it('ignores a batch that a later one overtook, so that a withdrawal stays', () => {
    const table = new LocationTable();
    announce(table, 1, 1, 2, { removed: [A] });
    expect(announce(table, 1, 1, 1, { added: [A] })).toEqual({ kind: 'stale-sequence', known: 2 });
    expect(holders(table, A)).toEqual([]);
  });

  it('ignores an earlier start of a datanode', () => {
    const table = new LocationTable();
    announce(table, 1, 5, 1, { added: [A] });
    expect(announce(table, 1, 4, 9, { removed: [A] })).toEqual({ kind: 'stale-generation', known: 5 });
    expect(holders(table, A)).toEqual([1]);
  });

  it('keeps what an earlier start announced findable until the re-announcement is complete', () => {
    const table = new LocationTable();
    announce(table, 1, 1, 1, { added: [A, B] });
    announce(table, 1, 2, 1, { added: [A] });
    expect(holders(table, B)).toEqual([1]);
    announce(table, 1, 2, 2, { reset: true });
    expect(holders(table, B)).toEqual([]);
    expect(holders(table, A)).toEqual([1]);
    expect(table.recordCount).toBe(1);
  });

  it('lets a withdrawal of this start remove what an earlier start announced', () => {
    const table = new LocationTable();
    announce(table, 1, 1, 1, { added: [A] });
    announce(table, 1, 2, 1, { removed: [A] });
    expect(holders(table, A)).toEqual([]);
  });

  it('forgets a dropped datanode at once, and believes it again when it returns', () => {
    const table = new LocationTable();
    announce(table, 1, 1, 9, { added: [A, B] });
    announce(table, 2, 1, 1, { added: [A] });
    table.drop(1);
    expect(holders(table, A)).toEqual([2]);
    expect(table.recordCount).toBe(1);
    announce(table, 1, 1, 1, { added: [B] });
    expect(holders(table, B)).toEqual([1]);
  });

  it('takes no more than it has room for, and finds room again where holders are gone', () => {
    const table = new LocationTable({ maxRecords: 2 });
    announce(table, 1, 1, 1, { added: [A, B] });
    expect(announce(table, 2, 1, 1, { added: [A] })).toEqual({ kind: 'taken', taken: 0 });
    expect(announce(table, 1, 1, 2, { added: [A] })).toEqual({ kind: 'taken', taken: 1 });
    table.drop(1);
    expect(announce(table, 2, 1, 2, { added: [A, B] })).toEqual({ kind: 'taken', taken: 2 });
  });

  it('lists the blocks of a shard and drops a shard whole', () => {
    const table = new LocationTable();
    announce(table, 1, 1, 1, { added: [A, B] });
    expect([...table.blocks(shardOfHash(A))]).toEqual([{ hash: A, nodes: [1] }]);
    expect(table.shardCount).toBe(2);
    table.dropShard(shardOfHash(A));
    expect([...table.blocks(shardOfHash(A))]).toEqual([]);
    expect(table.recordCount).toBe(1);
    expect(table.shardCount).toBe(1);
  });

  it('outlives more datanodes and restarts than it can tell apart at one time', () => {
    const table = new LocationTable();
    for (let each = 1; each <= MAX_HOLDERS / 2 + 100; each++) {
      announce(table, each, 1, 1, { added: [A] });
      announce(table, each, 2, 1, { added: [B], reset: true });
      table.drop(each);
    }
    announce(table, 1, 1, 1, { added: [A, B] });
    expect(table.lookup(packHashes([A, B])).nodes).toEqual([1, 1]);
    expect(table.recordCount).toBe(2);
  });
});
