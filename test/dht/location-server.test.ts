/** @module What a holder accepts, and from whom. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { LocationServer } from '../../dht/location-server.ts';
import { AnnounceRequest, CompareRequest } from '../../dht/messages.ts';
import { MAX_BATCH_HASHES, packHashes } from '../../dht/packed-hashes.ts';
import { shardOfHash } from '../../dht/shard.ts';
import { ShardDigests } from '../../dht/shard-digests.ts';
import { ShardSet } from '../../dht/shard-set.ts';
import { TURN_MS } from '../../dht/telling-turns.ts';
import { hashOf, IndexWorld } from './index-world.ts';
import { ManualClock } from '../manual-clock.ts';

const A = hashOf('a');
const PEERS = ['peerA', 'peerB', 'peerC'];

describe('LocationServer', () => {
  let world: IndexWorld;
  let server: LocationServer;
  let clock: ManualClock;
  beforeEach(() => {
    clock = new ManualClock();
    world = new IndexWorld(PEERS, clock);
    server = world.server('peerA');
  });

  it('takes a batch, answers with its boot, and finds the block', () => {
    const hashes = packHashes([A]);
    expect(server.announce(3, request({ added: hashes }))).toEqual({
      boot: 'peerA-1',
      taken: 1,
      ring: undefined,
    });
    const found = { counts: [1], nodes: [3], boot: 'peerA-1', incomplete: [], ring: undefined };
    expect(server.lookup({ hashes, epoch: 1 })).toEqual(found);
  });

  it('refuses a datanode that speaks for another', () => {
    const refusal = expect.objectContaining({ code: 'DHT_NOT_YOUR_NODE', facts: { caller: 4, claimed: 3 } });
    expect(() => server.announce(4, request({}))).toThrow(refusal);
    expect(() => server.compare(4, comparison({}))).toThrow(refusal);
  });

  it('refuses half hashes and batches beyond the limit, and takes nothing of them', () => {
    const half = new Uint8Array(40);
    const huge = new Uint8Array((MAX_BATCH_HASHES + 1) * 32);
    const refusal = expect.objectContaining({ code: 'DHT_BAD_BATCH' });
    for (const bad of [half, huge]) {
      expect(() => server.announce(3, request({ added: bad }))).toThrow(refusal);
      expect(() => server.announce(3, request({ removed: bad }))).toThrow(refusal);
      expect(() => server.lookup({ hashes: bad, epoch: 1 })).toThrow(refusal);
    }
    const many = Array.from({ length: 5000 }, () => 'abc');
    expect(() => server.announce(3, request({ whole: many }))).toThrow(refusal);
    expect(() => server.pull({ epoch: 1, prefixes: many })).toThrow(refusal);
    expect(() => server.compare(3, comparison({ shards: half }))).toThrow(refusal);
    expect(() => server.compare(3, comparison({ digests: half }))).toThrow(refusal);
    expect(world.table('peerA').recordCount).toBe(0);
  });

  it('tells an earlier start of a datanode that a later one exists', () => {
    server.announce(3, request({}));
    const refusal = expect.objectContaining({
      code: 'DHT_STALE_GENERATION',
      facts: { node: 3, known: 2, got: 1 },
    });
    expect(() => server.announce(3, request({ generation: 1 }))).toThrow(refusal);
    expect(() => server.compare(3, comparison({ generation: 1 }))).toThrow(refusal);
  });

  it('reports a batch overtaken by a later one as not taken, and wants nothing on an overtaken comparison', () => {
    const differing = new ShardDigests().encode(new ShardSet([7]));
    differing[0] = 1;
    const shards = new ShardSet([7]).encode();
    server.announce(3, request({ sequence: 5 }));
    expect(server.announce(3, request({ added: packHashes([A]) }))).toMatchObject({ taken: 0 });
    expect(server.compare(3, comparison({ shards, digests: differing })).wanted).toEqual([]);
    expect(server.compare(3, comparison({ sequence: 6, shards, digests: differing })).wanted).toEqual([7]);
  });

  it('says who holds the shards now to whoever names an older epoch, and judges heartbeats of the same members only', () => {
    const old = world.ring.epoch;
    world.setMembers([...PEERS, 'peerD']);
    const ring = { epoch: world.ring.epoch, peers: [...PEERS, 'peerD'] };
    expect(server.lookup({ hashes: packHashes([A]), epoch: old })).toMatchObject({ ring });
    expect(server.announce(3, request({ epoch: old }))).toMatchObject({ ring });
    expect(server.compare(3, comparison({ epoch: old, sequence: 9 }))).toMatchObject({ ring, wanted: [] });
    expect(server.lookup({ hashes: packHashes([A]), epoch: world.ring.epoch })).toMatchObject({
      ring: undefined,
    });
    const root = { node: 3, generation: 2, sequence: 1, root: new Uint8Array(8) };
    expect(server.matches({ ...root, epoch: old })).toBeUndefined();
    expect(server.matches({ ...root, epoch: world.ring.epoch + 1 })).toBeUndefined();
    expect(server.matches({ ...root, epoch: world.ring.epoch })).toBe(false);
    const since = world.ring.epoch;
    world.setMembers([...PEERS, 'peerD']);
    expect(server.matches({ ...root, epoch: since })).toBe(false);
    expect(server.matches({ ...root, epoch: old })).toBeUndefined();
  });

  it('compares whatever epoch a datanode names, and only what is its own', async () => {
    const six = [...PEERS, 'peerD', 'peerE', 'peerF'];
    world.setMembers(six);
    const own = Array.from({ length: 4096 }, (_, shard) => shard).filter((shard) =>
      world.ring.closest(shard, 3).includes('peerA'),
    );
    const [mine = 0] = own;
    const foreign = own.includes(0) ? (own.findIndex((shard, at) => shard !== at) ?? 0) : 0;
    const shards = new ShardSet([mine, foreign]).encode();
    // Of one hash each.
    const digests = Uint8Array.from({ length: 24 }, (_, at) => (at % 12 === 0 ? 1 : 0));
    world.ledger('peerA').promise([]);
    for (const [at, epoch] of [0, world.ring.epoch, world.ring.epoch + 5].entries()) {
      expect(server.compare(3, comparison({ epoch, sequence: 2 + at, shards, digests })).wanted).toEqual([
        mine,
      ]);
      await clock.advance(1);
    }
  });

  it('is complete once every datanode that is awaited has agreed', () => {
    world.awaited = [3, 4];
    world.restart('peerA', 'second');
    server = world.server('peerA');
    const looked = () => server.lookup({ hashes: packHashes([A]), epoch: 1 });
    const shard = shardOfHash(A);
    const shards = new ShardSet([shard]).encode();
    const digests = new ShardDigests().encode(new ShardSet([shard]));
    server.compare(3, comparison({ shards, digests }));
    expect(looked()).toMatchObject({ incomplete: [0] });
    server.compare(4, comparison({ node: 4, shards, digests }));
    expect(looked()).toMatchObject({ incomplete: [] });
  });

  describe('an agreement with a datanode', () => {
    const shard = shardOfHash(A);
    const shards = new ShardSet([shard]).encode();
    const empty = new ShardDigests().encode(new ShardSet([shard]));
    const agreed = (): number => world.ledger('peerA').agreements.with(3).size;
    const heartbeat = { node: 3, generation: 2, epoch: 1, sequence: 7 };
    const rootOf = (digests = new ShardDigests()): Uint8Array => digests.root(world.ledger('peerA').owned);
    beforeEach(() => {
      server.compare(3, comparison({ generation: 2, sequence: 7, shards, digests: empty }));
      expect(agreed()).toBe(1);
      expect(server.matches({ ...heartbeat, root: rootOf() })).toBe(true);
      expect(agreed()).toBe(4096);
    });

    it('ends when the datanode starts anew, whatever tells so first', () => {
      server.hear(3, 1);
      expect(agreed()).toBe(4096);
      server.hear(3, 3);
      expect(agreed()).toBe(0);
      server.compare(3, comparison({ generation: 3, sequence: 1, shards, digests: empty }));
      expect(agreed()).toBe(1);
      server.announce(3, request({ generation: 4 }));
      expect(agreed()).toBe(0);
      server.compare(3, comparison({ generation: 4, sequence: 2, shards, digests: empty }));
      expect(server.matches({ ...heartbeat, generation: 5, root: rootOf() })).toBe(false);
      expect(agreed()).toBe(0);
    });

    it('ends for the shards that a comparison shows to differ', () => {
      const digests = new Uint8Array(empty.byteLength).fill(1);
      server.compare(3, comparison({ generation: 2, sequence: 8, shards, digests }));
      expect([agreed(), world.ledger('peerA').agreements.with(3).has(shard)]).toEqual([4095, false]);
    });

    it('ends with a heartbeat that says something else, but not with one that was overtaken', () => {
      expect(server.matches({ ...heartbeat, sequence: 6, root: new Uint8Array(8) })).toBe(false);
      expect(agreed()).toBe(4096);
      expect(server.matches({ ...heartbeat, root: new Uint8Array(8) })).toBe(false);
      expect(agreed()).toBe(0);
    });

    it('ends for the shards that go to others', () => {
      world.setMembers([...PEERS, 'peerD', 'peerE', 'peerF']);
      const { owned } = world.ledger('peerA');
      expect(owned.size).toBeLessThan(4096);
      expect(agreed()).toBe(owned.size);
    });
  });

  it('asks first for what clients ask for', () => {
    world.awaited = [3];
    world.restart('peerA', 'second');
    server = world.server('peerA');
    server.lookup({ hashes: packHashes([`fff${A.slice(3)}`]), epoch: 1 });
    const all = Array.from({ length: 4096 }, (_, shard) => shard);
    const digests = digestsOfHundred(all);
    const { wanted, more } = server.compare(3, comparison({ shards: new ShardSet(all).encode(), digests }));
    expect([wanted[0], wanted[1], more]).toEqual([0xfff, 0, true]);
  });

  it('hears one datanode at a time, and says to the others when to come again', async () => {
    world.awaited = [3, 4];
    world.restart('peerA', 'second');
    server = world.server('peerA');
    const all = Array.from({ length: 4096 }, (_, shard) => shard);
    const said = { shards: new ShardSet(all).encode(), digests: digestsOfHundred(all) };
    const first = server.compare(3, comparison(said));
    expect([first.wanted.length, first.againMs]).toEqual([10, 0]);
    const second = server.compare(4, comparison({ node: 4, ...said }));
    expect(second).toMatchObject({ wanted: [], more: true, againMs: TURN_MS });
    await clock.advance(TURN_MS);
    expect(server.compare(4, comparison({ node: 4, sequence: 2, ...said })).wanted).toHaveLength(10);
  });

  it('hands over nothing of a shard that is not complete here', () => {
    server.announce(3, request({ added: packHashes([A]) }));
    const prefixes = [A.slice(0, 3)];
    expect(server.pull({ epoch: 1, prefixes })).toMatchObject({ prefixes });
    world.awaited = [3];
    world.restart('peerA', 'second');
    expect(world.server('peerA').pull({ epoch: 1, prefixes })).toMatchObject({
      prefixes: [],
      tooLarge: false,
    });
  });
});

function request(fields: Partial<AnnounceRequest>): AnnounceRequest {
  return AnnounceRequest.create({ node: 3, generation: 2, sequence: 1, epoch: 1, ...fields });
}

/** A hundred hashes in each shard. */
function digestsOfHundred(shards: readonly number[]): Uint8Array {
  const digests = new Uint8Array(shards.length * 12);
  const view = new DataView(digests.buffer);
  for (const [position] of shards.entries()) view.setUint32(position * 12, 100, true);
  return digests;
}

function comparison(fields: Partial<CompareRequest>): CompareRequest {
  const none = { shards: new ShardSet().encode(), digests: new Uint8Array(0) };
  return CompareRequest.create({ node: 3, generation: 2, sequence: 1, epoch: 1, ...none, ...fields });
}
