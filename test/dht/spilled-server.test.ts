/** @module A holder some of whose shards cannot be read: what it says of them. */
import { expect, it } from 'vitest';
import { LocationServer } from '../../dht/location-server.ts';
import { MembershipRing } from '../../dht/membership-ring.ts';
import { MAX_PULLED_READS } from '../../dht/pull-answer.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import { shardOfHash } from '../../dht/shard.ts';
import { ShardLedger } from '../../dht/shard-ledger.ts';
import { TellingTurns } from '../../dht/telling-turns.ts';
import { MemoryPageStore } from '../../src/storage/memory-page-store.ts';
import { testPeer } from '../metadata/cluster.ts';
import { hashOf } from './index-world.ts';
import { ManualClock } from '../manual-clock.ts';
import { spillOptions } from './spill-options.ts';
import { newTable } from './new-table.ts';

const HASHES: readonly string[] = Array.from({ length: 8 }, (_, at) => hashOf(at));
const PREFIXES: readonly string[] = HASHES.map((hash) => hash.slice(0, 3));

async function holder(hashes = HASHES) {
  const peer = testPeer(1);
  const ring = new MembershipRing(() => ({ epoch: 1, peers: [peer] }), peer);
  const ledger = new ShardLedger(ring, peer);
  for (const shard of ledger.owned) ledger.completed(shard);
  const store = new MemoryPageStore();
  const table = newTable({ spill: spillOptions(store, { onLost: (shard) => ledger.lost(shard) }) });
  const turns = new TellingTurns({ clock: new ManualClock() });
  const left = new Set<number>();
  const isDatanode = (node: number): boolean => !left.has(node);
  const components = { table, ledger, ring, awaited: () => [], isDatanode, turns };
  const server = new LocationServer(components, { boot: 'first' });
  const said = { node: 3, generation: 1, sequence: 1, removed: new Uint8Array(0), whole: [], epoch: 1 };
  await server.announce(3, { ...said, added: packHashes(hashes) });
  await expect.poll(() => table.spilledShards).toBe(new Set(hashes.map(shardOfHash)).size);
  return { server, store, ledger, table, left };
}

function damage(store: MemoryPageStore, count: number): void {
  for (const run of store.contents.slice(0, count)) run[9] = (run[9] ?? 0) ^ 1;
}

it('says that it does not know everything of a shard once that cannot be read, and not that nobody has its blocks', async () => {
  const { server, store, ledger } = await holder();
  const request = { hashes: packHashes(HASHES), epoch: 1 };
  damage(store, 3);
  const { counts, incomplete } = await server.lookup(request);
  expect(incomplete).toHaveLength(3);
  expect(counts).toEqual(HASHES.map((_, at) => (incomplete.includes(at) ? 0 : 1)));
  expect(ledger.losses).toBe(3);
  expect(ledger.missing()).toHaveLength(3);
});

it('hands nothing over of a shard that cannot be read, and of the others everything', async () => {
  const { server, store, ledger } = await holder();
  expect((await server.pull({ epoch: 1, prefixes: [...PREFIXES] })).prefixes).toEqual(PREFIXES);
  damage(store, 2);
  const { prefixes, counts } = await server.pull({ epoch: 1, prefixes: [...PREFIXES] });
  const whole = HASHES.filter((hash) => ledger.isComplete(shardOfHash(hash)));
  expect(whole).toHaveLength(HASHES.length - 2);
  expect(prefixes).toEqual(whole.map((hash) => hash.slice(0, 3)));
  expect(counts).toEqual(whole.map(() => 1));
});

it('takes nothing of a datanode that was removed while its announcement waited for the disk', async () => {
  const { server, table, left } = await holder();
  const said = { node: 4, generation: 1, sequence: 1, removed: new Uint8Array(0), whole: [], epoch: 1 };
  const answer = server.announce(4, { ...said, added: packHashes(HASHES) });
  expect(answer).toBeInstanceOf(Promise);
  left.add(4);
  table.drop(4);
  expect(await answer).toMatchObject({ taken: 0 });
  expect(table.nodes()).toEqual([3]);
});

it('hands over what it has read from disk in a while, and the rest when it is asked again', async () => {
  const hashes = Array.from({ length: 2 * MAX_PULLED_READS }, (_, at) => hashOf(at));
  const prefixes = [...new Set(hashes.map((hash) => hash.slice(0, 3)))];
  const { server } = await holder(hashes);
  const first = await server.pull({ epoch: 1, prefixes });
  expect(first.prefixes).toEqual(prefixes.slice(0, MAX_PULLED_READS));
  expect(first.tooLarge).toBe(false);
  const rest = prefixes.slice(MAX_PULLED_READS);
  expect((await server.pull({ epoch: 1, prefixes: rest })).prefixes).toEqual(rest);
});
