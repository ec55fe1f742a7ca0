/** @module Contents that need not be remembered: a name and a size give the bytes again. */
import { createCipheriv, createHash } from 'node:crypto';

const CHUNK_BYTES = 256 * 1024;

/** The same for the same name and size, and alike for no two names. */
export async function* knownBytes(name: string, sizeBytes: number): AsyncGenerator<Uint8Array> {
  const key = createHash('sha256').update(name).digest();
  const stream = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  for (let from = 0; from < sizeBytes; from += CHUNK_BYTES)
    yield stream.update(Buffer.alloc(Math.min(CHUNK_BYTES, sizeBytes - from)));
}

/** SHA-256 in hex of everything `bytes` yields. */
export async function sha256Of(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
}
