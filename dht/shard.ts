/** @module Where a hash belongs: 4096 shards by its first 12 bits, each a point in Kademlia space (Kademlia §2.1). */
import { createHash } from 'node:crypto';
import { base58btc } from 'multiformats/bases/base58';
import type { BlockHash, PeerId } from './ports.ts';

/** The key space is cut by this many leading bits of the block hash. */
export const SHARD_BITS = 12;
export const SHARD_COUNT: number = 2 ** SHARD_BITS;
/** A shard's records live on this many metadata nodes, the closest ones. */
export const HOLDERS_PER_SHARD = 3;
/** Length in bytes of one block hash in a packed list. */
export const HASH_SIZE_BYTES = 32;

const HEX_DIGITS_PER_SHARD = SHARD_BITS / 4;

/** The shard of a hash in hex, in [0, SHARD_COUNT). */
export function shardOfHash(hash: BlockHash): number {
  return Number.parseInt(hash.slice(0, HEX_DIGITS_PER_SHARD), 16);
}

/** The shard of the packed hash that begins at byte `offset`, in [0, SHARD_COUNT). */
export function shardOfPacked(packed: Uint8Array, offset: number): number {
  return (((packed[offset] ?? 0) << 8) | (packed[offset + 1] ?? 0)) >> (16 - SHARD_BITS);
}

/** Each is asked for again with every change of the members. */
const KAD_IDS: Uint8Array[] = [];

/** What a shard is called in Kademlia space, before hashing. Fixed for ever: ownership hangs on it. */
export function shardKey(shard: number): Uint8Array {
  return Buffer.from(`/holdfast/shard/${shard.toString(16).padStart(HEX_DIGITS_PER_SHARD, '0')}`, 'utf8');
}

/** A shard's 32-byte place in Kademlia space: the SHA-256 of its key, as kad-dht does for every key. */
export function shardKadId(shard: number): Uint8Array {
  return (KAD_IDS[shard] ??= sha256(shardKey(shard)));
}

/** A peer's 32-byte place in Kademlia space: the SHA-256 of its id's multihash, as kad-dht does. */
export function peerKadId(peer: PeerId): Uint8Array {
  return sha256(peerMultihash(peer));
}

/** A peer's id as bytes: its key in Kademlia space, before hashing. */
export function peerMultihash(peer: PeerId): Uint8Array {
  return base58btc.baseDecode(peer);
}

/** Negative when `a` is nearer to `target` by XOR than `b`, zero only when they are equal. */
export function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < target.length; at++) {
    const wanted = target[at] ?? 0;
    const difference = ((a[at] ?? 0) ^ wanted) - ((b[at] ?? 0) ^ wanted);
    if (difference !== 0) return difference;
  }
  return 0;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
