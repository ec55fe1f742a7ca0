/** @module Bytes of tests: reproducible contents, and streams gathered whole. */
import { createHash } from 'node:crypto';
import { toHex } from '../../src/common/bytes.ts';
import { sha256 } from '../../src/common/hashing.ts';

/** `sizeBytes` bytes that differ from block to block and from seed to seed. */
export function contents(sizeBytes: number, seed = 'a'): Uint8Array {
  const bytes = Buffer.alloc(sizeBytes);
  const stamp = createHash('sha512').update(seed).digest();
  for (let at = 0; at < sizeBytes; at += 64) {
    stamp.writeUInt32LE(at, 0);
    stamp.copy(bytes, at);
  }
  return bytes;
}

export async function gather(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Yields `bytes` in chunks of `chunkBytes`. */
export async function* inChunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

export function hashOf(bytes: Uint8Array): string {
  return toHex(sha256(bytes));
}
