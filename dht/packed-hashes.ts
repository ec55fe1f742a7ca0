/** @module Lists of hashes on the wire: 32 bytes each, back to back. */
import { badBatch } from './errors.ts';
import type { BlockHash } from './ports.ts';
import { HASH_SIZE_BYTES } from './shard.ts';

/** No batch on the wire holds more hashes than this; it bounds the memory and the time one request may cost. */
export const MAX_BATCH_HASHES = 4096;

const HASH_IN_HEX = /^[0-9a-f]{64}$/;

/** Throws DHT_BAD_BATCH unless `hash` is 64 lower-case hex digits. */
export function checkHash(hash: string): asserts hash is BlockHash {
  if (!HASH_IN_HEX.test(hash)) throw badBatch(`'${hash.slice(0, 80)}' is not a hash in lower-case hex`, {});
}

/** Packs in order. Throws DHT_BAD_BATCH on a string that is no hash. */
export function packHashes(hashes: readonly BlockHash[]): Uint8Array {
  const packed = Buffer.allocUnsafe(hashes.length * HASH_SIZE_BYTES);
  hashes.forEach((hash, index) => {
    checkHash(hash);
    packed.write(hash, index * HASH_SIZE_BYTES, HASH_SIZE_BYTES, 'hex');
  });
  return packed;
}

/** The hashes in order, in hex. Throws DHT_BAD_BATCH when the length is no multiple of 32. */
export function unpackHashes(packed: Uint8Array): BlockHash[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  return Array.from({ length: countPacked(packed) }, (_, index) =>
    bytes.toString('hex', index * HASH_SIZE_BYTES, (index + 1) * HASH_SIZE_BYTES),
  );
}

/** How many hashes a packed list holds. Throws DHT_BAD_BATCH when the length is no multiple of 32. */
export function countPacked(packed: Uint8Array): number {
  if (packed.byteLength % HASH_SIZE_BYTES !== 0)
    throw badBatch(`${packed.byteLength} bytes are no whole number of hashes`, {
      sizeBytes: packed.byteLength,
    });
  return packed.byteLength / HASH_SIZE_BYTES;
}
