/** @module What a holder accepts, and from whom. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { LocationServer } from '../../dht/location-server.ts';
import { AnnounceRequest, CompareRequest } from '../../dht/messages.ts';
import { MAX_BATCH_HASHES, packHashes } from '../../dht/packed-hashes.ts';
import { shardOfHash } from '../../dht/shard.ts';
import { ShardDigests } from '../../dht/shard-digests.ts';
import { ShardSet } from '../../dht/shard-set.ts';
import { hashOf, IndexWorld } from './index-world.ts';

const A = hashOf('a');
const PEERS = ['peerA', 'peerB', 'peerC'];

describe('LocationServer', () => {
  let world: IndexWorld;
  let server: LocationServer;
  beforeEach(() => {
    world = new IndexWorld(PEERS);
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
    const differing = new ShardDigests().encode([7]);
    differing[0] = 1;
    const shards = new ShardSet([7]).encode();
    server.announce(3, request({ sequence: 5 }));
    expect(server.announce(3, request({ added: packHashes([A]) })).taken).toBe(0);
    expect(server.compare(3, comparison({ shards, digests: differing })).wanted).toEqual([]);
    expect(server.compare(3, comparison({ sequence: 6, shards, digests: differing })).wanted).toEqual([7]);
  });

  it('says who holds the shards now to whoever names an older epoch, and judges digests of the same epoch only', () => {
    const old = world.ring.epoch;
    world.setMembers([...PEERS, 'peerD']);
    const ring = { epoch: world.ring.epoch, peers: [...PEERS, 'peerD'] };
    expect(server.lookup({ hashes: packHashes([A]), epoch: old }).ring).toEqual(ring);
    expect(server.announce(3, request({ epoch: old })).ring).toEqual(ring);
    expect(server.compare(3, comparison({ epoch: old, sequence: 9 }))).toMatchObject({ ring, wanted: [] });
    expect(server.lookup({ hashes: packHashes([A]), epoch: world.ring.epoch }).ring).toBeUndefined();
    const root = { node: 3, generation: 2, sequence: 1, root: new Uint8Array(8) };
    expect(server.matches({ ...root, epoch: old })).toBeUndefined();
    expect(server.matches({ ...root, epoch: world.ring.epoch })).toBe(false);
  });

  it('is complete once every datanode that is awaited has agreed', () => {
    world.awaited = [3, 4];
    world.restart('peerA', 'second');
    server = world.server('peerA');
    const incomplete = (): readonly number[] =>
      server.lookup({ hashes: packHashes([A]), epoch: 1 }).incomplete;
    const shard = shardOfHash(A);
    const shards = new ShardSet([shard]).encode();
    const digests = new ShardDigests().encode([shard]);
    server.compare(3, comparison({ shards, digests }));
    expect(incomplete()).toEqual([0]);
    server.compare(4, comparison({ node: 4, shards, digests }));
    expect(incomplete()).toEqual([]);
  });

  it('asks first for what clients ask for', () => {
    world.awaited = [3];
    world.restart('peerA', 'second');
    server = world.server('peerA');
    server.lookup({ hashes: packHashes([`fff${A.slice(3)}`]), epoch: 1 });
    const all = Array.from({ length: 4096 }, (_, shard) => shard);
    const digests = new ShardDigests().encode(all).fill(1);
    const { wanted, more } = server.compare(3, comparison({ shards: new ShardSet(all).encode(), digests }));
    expect([wanted[0], wanted[1], more]).toEqual([0xfff, 0, true]);
  });

  it('hands over nothing of a shard that is not complete here', () => {
    server.announce(3, request({ added: packHashes([A]) }));
    const prefixes = [A.slice(0, 3)];
    expect(server.pull({ epoch: 1, prefixes }).prefixes).toEqual(prefixes);
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

function comparison(fields: Partial<CompareRequest>): CompareRequest {
  const none = { shards: new ShardSet().encode(), digests: new Uint8Array(0) };
  return CompareRequest.create({ node: 3, generation: 2, sequence: 1, epoch: 1, ...none, ...fields });
}
