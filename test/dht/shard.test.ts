/** @module Hashes find their shard, and distance is XOR. */
import { describe, expect, it } from 'vitest';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { createHash } from 'node:crypto';
import {
  compareDistance,
  peerKadId,
  SHARD_COUNT,
  shardKadId,
  shardKey,
  shardOfHash,
  shardOfPacked,
} from '../../dht/shard.ts';
import { hashOf } from './index-world.ts';

describe('shards', () => {
  it('are named by the first twelve bits of the hash, in hex and packed alike', () => {
    expect(shardOfHash(`abc${'0'.repeat(61)}`)).toBe(0xabc);
    for (let each = 0; each < 200; each++) {
      const hash = hashOf(each);
      const packed = Buffer.concat([Buffer.alloc(5), Buffer.from(hash, 'hex')]);
      expect(shardOfPacked(packed, 5)).toBe(shardOfHash(hash));
      expect(shardOfHash(hash)).toBeLessThan(SHARD_COUNT);
    }
  });

  it('keep their place in Kademlia space for ever', () => {
    expect(Buffer.from(shardKey(0xa)).toString()).toBe('/holdfast/shard/00a');
    expect(Buffer.from(shardKadId(0xa))).toEqual(createHash('sha256').update('/holdfast/shard/00a').digest());
  });
});

describe('distance', () => {
  it('puts a peer where kad-dht puts it: at the SHA-256 of its multihash', async () => {
    const peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'));
    const expected = createHash('sha256').update(peer.toMultihash().bytes).digest();
    expect(Buffer.from(peerKadId(peer.toString()))).toEqual(expected);
  });

  it('orders as the XOR read as one big number', () => {
    const ids = Array.from({ length: 30 }, (_, each) => Buffer.from(hashOf(each), 'hex'));
    const [target = Buffer.alloc(32), ...others] = ids;
    const sorted = others.toSorted((a, b) => compareDistance(target, a, b));
    const distances = sorted.map((id) => number(id) ^ number(target));
    expect(distances).toEqual(distances.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(compareDistance(target, target, target)).toBe(0);
  });
});

function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}
