/** @module SHA-256 names blocks, CRC32C guards ranges; both behind one file. */
import { createHash, hash } from 'node:crypto';
import { crc32c as nativeCrc32c } from '@node-rs/crc32';

/** A SHA-256 in lower-case hex: 64 characters. How a block is named everywhere above the wire. */
export type BlockHash = string;

/** Length in bytes of a SHA-256. */
export const HASH_SIZE_BYTES = 32;

export interface StreamingHash {
  update(bytes: Uint8Array): void;
  /** Ends the hash; call once. */
  digest(): Uint8Array;
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}

export function sha256Stream(): StreamingHash {
  const running = createHash('sha256');
  return {
    update: (bytes) => void running.update(bytes),
    digest: () => running.digest(),
  };
}

/** CRC32C (Castagnoli, RFC 3720 appendix B.4) of `bytes`, unsigned; continues from `seed`. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  return nativeCrc32c(bytes as Buffer, seed) >>> 0;
}
