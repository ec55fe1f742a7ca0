/** @module Lists of hashes on the wire: 32 bytes each, back to back. */
import { badBatch } from './errors.ts';
import type { BlockHash } from './ports.ts';
import { HASH_SIZE_BYTES, shardOfPacked } from './shard.ts';

/** No batch on the wire holds more hashes than this; it bounds the memory and the time one request may cost. */
export const MAX_BATCH_HASHES = 4096;

const HASH_DIGITS: number = HASH_SIZE_BYTES * 2;

/** Throws DHT_BAD_BATCH unless all of them are 64 lower-case hex digits. */
export function checkHashes(hashes: readonly string[]): asserts hashes is readonly BlockHash[] {
  packHashes(hashes);
}

/** Packs in order. Throws DHT_BAD_BATCH on a string that is no hash. All at once: one by one costs several times as much. */
export function packHashes(hashes: readonly BlockHash[]): Uint8Array {
  const packed = Buffer.allocUnsafe(hashes.length * HASH_SIZE_BYTES);
  const digits = hashes.join('');
  const isWhole = hashes.every(({ length }) => length === HASH_DIGITS) && digits === digits.toLowerCase();
  // What is no digit ends the writing.
  if (isWhole && packed.write(digits, 'hex') === packed.byteLength) return packed;
  const wrong = hashes.find((hash) => !HASH_IN_HEX.test(hash)) ?? '';
  throw badBatch(`'${wrong.slice(0, 80)}' is not a hash in lower-case hex`, {});
}

const HASH_IN_HEX = /^[0-9a-f]{64}$/;

/** How many hashes a packed list holds. Throws DHT_BAD_BATCH when the length is no multiple of 32. */
export function countPacked(packed: Uint8Array): number {
  if (packed.byteLength % HASH_SIZE_BYTES !== 0)
    throw badBatch(`${packed.byteLength} bytes are no whole number of hashes`, {
      sizeBytes: packed.byteLength,
    });
  return packed.byteLength / HASH_SIZE_BYTES;
}

/** Each hash by the byte at which it begins. Throws DHT_BAD_BATCH when the length is no multiple of 32. */
export function forEachPacked(
  packed: Uint8Array,
  visit: (packed: DataView, offset: number, shard: number) => void,
): void {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const end = countPacked(packed) * HASH_SIZE_BYTES;
  for (let offset = 0; offset < end; offset += HASH_SIZE_BYTES)
    visit(view, offset, shardOfPacked(packed, offset));
}

/** The bytes of the hash at byte `offset`; not a copy. */
export function hashAt({ buffer, byteOffset }: DataView, offset: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + offset, HASH_SIZE_BYTES);
}
