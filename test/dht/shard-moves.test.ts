/** @module One shard on its way to disk while it changes. */
import { expect, it } from 'vitest';
import { HolderRegistry } from '../../dht/holder-registry.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import { MAX_RUN_WIDTH } from '../../dht/record-run.ts';
import { ShardDigests } from '../../dht/shard-digests.ts';
import { ShardMoves } from '../../dht/shard-moves.ts';
import { hashKeyOf } from '../../dht/shard-records.ts';
import { SpilledReads } from '../../dht/spilled-reads.ts';
import { isSpilled, TableShards } from '../../dht/table-shards.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { MemoryPageStore } from '../../src/storage/memory-page-store.ts';

const SHARD = 0xabc;
const HASHES: readonly string[] = ['1', '2', '3'].map((digit) => `abc${digit.repeat(61)}`);

function world() {
  let hold: Promise<void> | undefined;
  const store = new MemoryPageStore({ pause: async (action) => (action === 'write' ? hold : undefined) });
  const holders = new HolderRegistry();
  const shards = new TableShards(holders, hashKeyOf(new Uint8Array(32).fill(7)));
  const reads = new SpilledReads({ shards, store, logger: silentLogger }, { onLost: () => undefined });
  const digests = new Map<number, ShardDigests>();
  const view = (hash: string): DataView => new DataView(Uint8Array.from(packHashes([hash])).buffer);
  const enlist = (node: number): number => {
    const id = holders.enlist(node);
    digests.set(id, new ShardDigests());
    return id;
  };
  return {
    store,
    holders,
    shards,
    moves: new ShardMoves({ shards, store, reads }),
    enlist,
    add(hash: string, id: number): void {
      const shard = shards.swept(SHARD);
      if (!shard.records.add(view(hash), 0, id)) return;
      shards.changed(shard, view(hash), 0);
      digests.get(id)?.add(SHARD, view(hash), 0);
      holders.acquire(id);
    },
    remove(hash: string, id: number): void {
      const shard = shards.swept(SHARD);
      if (!shard.records.remove(view(hash), 0, id)) return;
      shards.changed(shard, view(hash), 0);
      digests.get(id)?.remove(SHARD, view(hash), 0);
      holders.release(id);
    },
    bury: (id: number): void => shards.bury(id, digests.get(id) ?? new ShardDigests()),
    /** The next write waits for what this returns to be called. */
    holdWrites(): () => void {
      const open = Promise.withResolvers<void>();
      hold = open.promise;
      return open.resolve;
    },
    holdersOf: (hash: string): Promise<number[]> | number[] =>
      reads.withRows([packHashes([hash])], () => [
        ...(shards.at(SHARD)?.records.holdersOf(view(hash), 0) ?? []),
      ]),
  };
}

it('has on disk what changed while it was written', async () => {
  const { add, remove, enlist, moves, holdWrites, holdersOf, shards } = world();
  const [a = '', b = '', c = ''] = HASHES;
  const [one, two] = [enlist(1), enlist(2)];
  for (const hash of [a, b]) add(hash, one);
  const open = holdWrites();
  const moved = moves.toDisk(SHARD);
  remove(a, one);
  add(b, two);
  add(c, two);
  open();
  expect(await moved).toMatchObject({ kind: 'moved' });
  expect(isSpilled(shards.at(SHARD))).toBe(true);
  expect(await Promise.all([a, b, c].map(holdersOf))).toEqual([[], [one, two], [two]]);
  expect(shards.at(SHARD)?.records.size).toBe(2);
});

it('names nobody who was dead when it was copied, so that his number can be given to another', async () => {
  const { add, bury, enlist, moves, holdWrites, holdersOf, holders } = world();
  const [a = '', b = ''] = HASHES;
  const [one, two, three] = [enlist(1), enlist(2), enlist(3)];
  for (const hash of [a, b]) for (const id of [one, two]) add(hash, id);
  const open = holdWrites();
  // Dies after the shard was looked at last, and before it is copied.
  bury(one);
  const moved = moves.toDisk(SHARD);
  add(a, three);
  bury(two);
  open();
  await moved;
  expect(await holdersOf(a)).toEqual([two, three]);
  expect(await holdersOf(b)).toEqual([two]);
  expect(holders.deadRecords).toBe(2);
  expect(enlist(4)).toBe(one);
});

it('stays as it is when it cannot be written, or was dropped meanwhile', async () => {
  const { add, enlist, moves, holdWrites, holdersOf, shards, store } = world();
  const [a = ''] = HASHES;
  const one = enlist(1);
  add(a, one);
  const open = holdWrites();
  const moved = moves.toDisk(SHARD);
  shards.forget(SHARD);
  open();
  await moved;
  expect(shards.at(SHARD)).toBeUndefined();
  expect(store.usedBytes).toBe(0);

  const full = new ShardMoves({
    shards,
    store: new MemoryPageStore({ maxBytes: 0 }),
    reads: new SpilledReads({ shards, store, logger: silentLogger }, { onLost: () => undefined }),
  });
  add(a, one);
  expect(await full.toDisk(SHARD)).toMatchObject({ kind: 'failed' });
  expect(shards.at(SHARD)?.touched).toBeUndefined();
  expect(await holdersOf(a)).toEqual([one]);
});

it('comes back as it was, without the dead', async () => {
  const { add, bury, enlist, moves, holdersOf, store, holders, shards } = world();
  const [a = '', b = '', c = ''] = HASHES;
  const [one, two] = [enlist(1), enlist(2)];
  for (const hash of [a, b]) add(hash, one);
  add(c, two);
  await moves.toDisk(SHARD);
  await holdersOf(b);
  add(b, two);
  bury(two);
  await moves.toMemory(SHARD);
  expect(isSpilled(shards.at(SHARD))).toBe(false);
  expect(await Promise.all([a, b, c].map(holdersOf))).toEqual([[one], [one], []]);
  expect(holders.deadRecords).toBe(0);
  expect(store.usedBytes).toBe(0);
});

it('stays in memory while a block has more holders than fit into a page with it, also when it was on disk before', async () => {
  const { add, enlist, moves, holdersOf, store } = world();
  const [a = '', b = ''] = HASHES;
  const ids = Array.from({ length: MAX_RUN_WIDTH + 1 }, (_, at) => enlist(at));
  const [one = 0] = ids;
  add(b, one);
  expect(await moves.toDisk(SHARD)).toMatchObject({ kind: 'moved' });
  await holdersOf(a);
  for (const id of ids) add(a, id);
  expect(await moves.toDisk(SHARD)).toEqual({ kind: 'unfit' });
  expect(await holdersOf(a)).toEqual(ids);
  expect(await holdersOf(b)).toEqual([one]);
  await moves.toMemory(SHARD);
  expect(await holdersOf(a)).toEqual(ids);
  expect(store.usedBytes).toBe(0);
});

it('is written with a row as wide as a page', async () => {
  const { add, enlist, moves, holdersOf } = world();
  const [a = '', b = ''] = HASHES;
  const ids = Array.from({ length: MAX_RUN_WIDTH }, (_, at) => enlist(at));
  const [one = 0] = ids;
  add(b, one);
  for (const id of ids) add(a, id);
  expect(await moves.toDisk(SHARD)).toMatchObject({ kind: 'moved' });
  expect([await holdersOf(a), await holdersOf(b)]).toEqual([ids, [one]]);
});

it('is counted with all records of its run while that is on disk, however often it is written and wherever it goes', async () => {
  const { add, enlist, moves, holdersOf, shards } = world();
  const [a = '', b = '', c = ''] = HASHES;
  const [one, two] = [enlist(1), enlist(2)];
  for (const hash of [a, b]) add(hash, one);
  expect([shards.spilled, shards.spilledRecords]).toEqual([0, 0]);
  await moves.toDisk(SHARD);
  expect([shards.spilled, shards.spilledRecords]).toEqual([1, 2]);
  await Promise.all([b, c].map(holdersOf));
  for (const hash of [b, c]) add(hash, two);
  expect(shards.spilledRecords).toBe(2);
  await moves.toDisk(SHARD);
  expect([shards.spilled, shards.spilledRecords]).toEqual([1, 4]);
  await moves.toMemory(SHARD);
  expect([shards.spilled, shards.spilledRecords]).toEqual([0, 0]);
  await moves.toDisk(SHARD);
  shards.forget(SHARD);
  expect([shards.spilled, shards.spilledRecords]).toEqual([0, 0]);
});
