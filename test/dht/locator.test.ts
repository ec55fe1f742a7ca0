/** @module Lookups fall through the ring until somebody knows. */
import { beforeEach, describe, expect, it } from 'vitest';
import { INCOMPLETE_PAUSE_MS, INCOMPLETE_RETRIES, INQUIRE_AFTER_MS, Locator } from '../../dht/locator.ts';
import { LOOKUP_TIMEOUT_MS } from '../../dht/lookup-walk.ts';
import { MAX_BATCH_HASHES, packHashes } from '../../dht/packed-hashes.ts';
import type { DatanodeInquiry, PeerId } from '../../dht/ports.ts';
import { shardOfHash } from '../../dht/shard.ts';
import { hashOf, IndexWorld } from './index-world.ts';
import { ManualClock, settle } from '../manual-clock.ts';
import { silentLogger } from '../../src/common/logger.ts';

const A = hashOf('a');
const PEERS = ['peerA', 'peerB', 'peerC', 'peerD', 'peerE'];

let world: IndexWorld;
let clock: ManualClock;
let locator: Locator;
let order: readonly PeerId[];

beforeEach(() => {
  world = new IndexWorld(PEERS);
  clock = new ManualClock();
  locator = new Locator({ rpc: world.rpc, ring: world.ring, clock, logger: silentLogger });
  order = world.ring.closest(shardOfHash(A), PEERS.length);
});

function tell(peer: PeerId | undefined, node: number, hashes: readonly string[]): void {
  const words = { generation: 1, sequence: 1, removed: new Uint8Array(0), whole: [], epoch: 1 };
  world.table(peer ?? '').announce({ node, added: packHashes(hashes), ...words });
}

describe('lookup', () => {
  it('asks only the closest when it knows', async () => {
    tell(order[0], 4, [A]);
    tell(order[0], 9, [A]);
    expect(await locator.lookup([A])).toEqual([[4, 9]]);
    expect(world.lookups).toEqual([{ peer: order[0], count: 1 }]);
  });

  it('asks a holder that is itself the one first, and the nearest when it knows nothing', async () => {
    const [nearest, , self, stranger] = order;
    const asking = (peer: PeerId | undefined): Locator =>
      new Locator({ rpc: world.rpc, ring: world.newRing(peer), clock, logger: silentLogger });
    tell(self, 4, [A]);
    expect(await asking(self).lookup([A])).toEqual([[4]]);
    expect(world.lookups.map(({ peer }) => peer)).toEqual([self]);
    world.lookups.length = 0;
    tell(nearest, 9, [hashOf('b'), A]);
    expect(await asking(stranger).lookup([A])).toEqual([[9]]);
    expect(world.lookups.map(({ peer }) => peer)).toEqual([nearest]);
    world.lookups.length = 0;
    tell(nearest, 7, [hashOf('c')]);
    await asking(order[1]).lookup([A]);
    expect(world.lookups.map(({ peer }) => peer)).toEqual([order[1], nearest, order[2]]);
  });

  it('answers in the order asked, also when a hash is asked for twice', async () => {
    const hashes = Array.from({ length: 50 }, (_, each) => hashOf(each));
    hashes.forEach((hash, index) => tell(closest(hash), index + 1, [hash]));
    const asked = [...hashes.toReversed(), A, ...hashes];
    const found = await locator.lookup(asked);
    expect(found).toEqual([...hashes.map((_, i) => [50 - i]), [], ...hashes.map((_, i) => [i + 1])]);
  });

  it('falls through a dead and an ignorant holder to the third', async () => {
    world.health.set(order[0] ?? '', 'dead');
    tell(order[2], 4, [A]);
    expect(await locator.lookup([A])).toEqual([[4]]);
    expect(world.lookups.map((each) => each.peer)).toEqual(order.slice(0, 3));
  });

  it('asks the other holders together when the nearest does not know', async () => {
    world.awaited = [4];
    for (const peer of order) world.restart(peer, 'second');
    for (const peer of [order[0], order[1]]) tell(peer, 4, [A]);
    tell(order[2], 9, [A]);
    world.health.set(order[1] ?? '', 'hang');
    const found = locator.lookup([A]);
    await settle();
    expect(world.lookups.map(({ peer }) => peer)).toEqual(order.slice(0, 3));
    await clock.advance(LOOKUP_TIMEOUT_MS);
    expect(await found).toEqual([[4, 9]]);
    expect(world.lookups).toHaveLength(3);
  });

  it('falls through to members that are no holders', async () => {
    tell(order[4], 4, [A]);
    expect(await locator.lookup([A])).toEqual([[4]]);
  });

  it('passes over a holder that does not answer in time, once for all hashes', async () => {
    world.health.set(order[0] ?? '', 'hang');
    tell(order[1], 4, [A]);
    const other = Array.from({ length: 200 }, (_, each) => hashOf(each));
    const found = locator.lookup([A, ...other]);
    await clock.advance(LOOKUP_TIMEOUT_MS);
    expect((await found)[0]).toEqual([4]);
    expect(world.lookups.filter((each) => each.peer === order[0])).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('finds nothing where the holders answer that there is nothing', async () => {
    world.health.set(order[0] ?? '', 'dead');
    expect(await locator.lookup([A])).toEqual([[]]);
  });

  it('does not take the silence of all holders for nothing', async () => {
    for (const peer of order.slice(0, 3)) world.health.set(peer, 'dead');
    await expect(locator.lookup([A])).rejects.toMatchObject({
      code: 'DHT_LOOKUP_INCOMPLETE',
      facts: { missing: 1 },
    });
  });

  it('does not believe a holder that does not know everything yet, and asks again while the index is rebuilt', async () => {
    world.awaited = [4];
    for (const peer of PEERS) world.restart(peer, 'second');
    const found = locator.lookup([A]);
    await clock.advance(INCOMPLETE_PAUSE_MS);
    tell(order[1], 4, [A]);
    await clock.advance(INCOMPLETE_PAUSE_MS);
    expect(await found).toEqual([[4]]);
    const missing = locator.lookup([hashOf('elsewhere')]);
    const refused = expect(missing).rejects.toMatchObject({ code: 'DHT_LOOKUP_INCOMPLETE' });
    await clock.advance(INCOMPLETE_PAUSE_MS * (INCOMPLETE_RETRIES + 1));
    await refused;
  });

  it('asks the datanodes themselves for exactly the blocks that no holder can tell of yet', async () => {
    const known = hashOf('known');
    world.awaited = [4];
    for (const peer of PEERS) world.restart(peer, 'second');
    tell(closest(known), 9, [known]);
    const asked: (readonly string[])[] = [];
    const inquiry: DatanodeInquiry = {
      holders: async (hashes) => {
        asked.push(hashes);
        return new Map([[A, [4]]]);
      },
    };
    locator = new Locator({ rpc: world.rpc, ring: world.ring, inquiry, clock, logger: silentLogger });
    expect(await locator.lookup([A, known])).toEqual([[4], [9]]);
    expect(asked).toEqual([[A]]);
  });

  it('asks the datanodes as soon as the holders cannot tell, and waits for no others then', async () => {
    world.awaited = [4];
    for (const peer of PEERS) world.restart(peer, 'second');
    world.health.set(order[1] ?? '', 'dead');
    for (const peer of order.slice(3)) world.health.set(peer, 'hang');
    const inquiry: DatanodeInquiry = { holders: async () => new Map([[A, [4]]]) };
    locator = new Locator({ rpc: world.rpc, ring: world.ring, inquiry, clock, logger: silentLogger });
    expect(await locator.lookup([A])).toEqual([[4]]);
    expect(clock.monotonicMs()).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes the word of a metadata node that is no holder before that of datanodes which do not answer', async () => {
    world.awaited = [4];
    for (const peer of PEERS) world.restart(peer, 'second');
    tell(order[4], 4, [A]);
    const inquiry: DatanodeInquiry = {
      holders: (_, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    };
    locator = new Locator({ rpc: world.rpc, ring: world.ring, inquiry, clock, logger: silentLogger });
    expect(await locator.lookup([A])).toEqual([[4]]);
  });

  it('asks the datanodes once, however soon the metadata nodes are through', async () => {
    world.awaited = [4];
    for (const peer of PEERS) world.restart(peer, 'second');
    const answer = Promise.withResolvers<ReadonlyMap<string, readonly number[]>>();
    let asked = 0;
    const inquiry: DatanodeInquiry = { holders: () => (asked++, answer.promise) };
    locator = new Locator({ rpc: world.rpc, ring: world.ring, inquiry, clock, logger: silentLogger });
    const found = locator.lookup([A]);
    await clock.advance(INQUIRE_AFTER_MS);
    expect(world.lookups).toHaveLength(PEERS.length);
    answer.resolve(new Map([[A, [4]]]));
    expect([await found, asked]).toEqual([[[4]], 1]);
  });

  it('does not trouble datanodes for what a complete holder does not know', async () => {
    const inquiry = { holders: () => Promise.reject(new Error('the datanodes were asked')) };
    locator = new Locator({ rpc: world.rpc, ring: world.ring, inquiry, clock, logger: silentLogger });
    expect(await locator.lookup([A])).toEqual([[]]);
  });

  it('asks the datanodes beside holders that are silent, and does not wait for those', async () => {
    for (const peer of PEERS) world.health.set(peer, 'hang');
    const inquiry: DatanodeInquiry = { holders: async () => new Map([[A, [4]]]) };
    locator = new Locator({ rpc: world.rpc, ring: world.ring, inquiry, clock, logger: silentLogger });
    const found = locator.lookup([A]);
    await clock.advance(INQUIRE_AFTER_MS);
    expect(await found).toEqual([[4]]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('adds what a complete holder knows to what an incomplete one said', async () => {
    world.awaited = [4, 9];
    world.restart(order[0] ?? '', 'second');
    tell(order[0], 4, [A]);
    tell(order[1], 4, [A]);
    tell(order[1], 9, [A]);
    expect(await locator.lookup([A])).toEqual([[4, 9]]);
  });

  it('learns of a newer membership from the answer', async () => {
    const own = world.newRing();
    locator = new Locator({ rpc: world.rpc, ring: own, clock, logger: silentLogger });
    world.setMembers(PEERS.slice(1));
    await locator.lookup([A]);
    expect([own.epoch, own.all()]).toEqual([world.ring.epoch, PEERS.slice(1)]);
  });

  it('splits large lookups into batches', async () => {
    world = new IndexWorld(['peerA']);
    locator = new Locator({ rpc: world.rpc, ring: world.ring, clock, logger: silentLogger });
    const hashes = Array.from({ length: MAX_BATCH_HASHES + 3 }, (_, each) => hashOf(each));
    tell('peerA', 4, hashes.slice(0, MAX_BATCH_HASHES));
    const found = await locator.lookup(hashes);
    expect(world.lookups.map((each) => each.count)).toEqual([MAX_BATCH_HASHES, 3]);
    expect(found.filter((nodes) => nodes.length === 0)).toHaveLength(3);
  });

  it('ends with the reason of its signal', async () => {
    for (const peer of PEERS) world.health.set(peer, 'hang');
    const abort = new AbortController();
    const found = locator.lookup([A], abort.signal);
    abort.abort(new Error('enough'));
    await expect(found).rejects.toThrow('enough');
  });

  it('fails when no metadata node is known', async () => {
    world = new IndexWorld([]);
    locator = new Locator({ rpc: world.rpc, ring: world.ring, clock, logger: silentLogger });
    await expect(locator.lookup([A])).rejects.toMatchObject({ code: 'DHT_NO_METADATA_PEERS' });
  });
});

function closest(hash: string): PeerId | undefined {
  return world.ring.closest(shardOfHash(hash), 1)[0];
}
