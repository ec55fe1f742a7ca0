/** @module A packed list of hashes, readable again. */
import { countPacked } from '../../dht/packed-hashes.ts';
import type { BlockHash } from '../../dht/ports.ts';
import { HASH_SIZE_BYTES } from '../../dht/shard.ts';

/** The hashes in order, in hex. Throws DHT_BAD_BATCH when the length is no multiple of 32. */
export function unpackHashes(packed: Uint8Array): BlockHash[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  return Array.from({ length: countPacked(packed) }, (_, index) =>
    bytes.toString('hex', index * HASH_SIZE_BYTES, (index + 1) * HASH_SIZE_BYTES),
  );
}
