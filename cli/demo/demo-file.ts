/** @module The file of the demo: bytes that no compression or luck can fake, made on the way and hashed as they pass. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { toHex } from '../../src/common/bytes.ts';
import { sha256Stream } from '../../src/common/hashing.ts';

const CHUNK_BYTES = 1024 * 1024;

export interface DemoFile {
  readonly sizeBytes: number;
  /** Iterate once. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** SHA-256 in hex of what was yielded; call after the end. */
  sha256(): string;
}

export function createDemoFile(sizeBytes: number): DemoFile {
  const hash = sha256Stream();
  return {
    sizeBytes,
    bytes: pseudorandom(sizeBytes, (chunk) => hash.update(chunk)),
    sha256: () => toHex(hash.digest()),
  };
}

/** SHA-256 in hex of everything `bytes` yields. */
export async function sha256Of(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = sha256Stream();
  for await (const chunk of bytes) hash.update(chunk);
  return toHex(hash.digest());
}

/** The key stream of AES in counter mode: as random as it gets, and far faster than asking the system for it. */
async function* pseudorandom(
  sizeBytes: number,
  onChunk: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  const stream = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  for (let from = 0; from < sizeBytes; from += CHUNK_BYTES) {
    const chunk = stream.update(Buffer.alloc(Math.min(CHUNK_BYTES, sizeBytes - from)));
    onChunk(chunk);
    yield chunk;
  }
}
