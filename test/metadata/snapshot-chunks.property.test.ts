import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeChunks, encodeChunk } from '../../src/metadata/snapshot-chunks.ts';

const payload = fc.uint8Array({ minLength: 1, maxLength: 50 });
const payloads = fc.array(payload, { minLength: 1, maxLength: 6 });
const FAILED = { code: 'METADATA_SNAPSHOT_FAILED' };

function chunked(parts: readonly Uint8Array[], start: number): Uint8Array {
  let offset = start;
  return Buffer.concat(
    parts.map((part) => {
      const chunk = encodeChunk(offset, part);
      offset += part.length;
      return chunk;
    }),
  );
}

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function decoded(bytes: Uint8Array, offset: number, sizes: readonly number[] = [7]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of decodeChunks('s', cut(bytes, sizes), offset)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

describe('the chunks of a snapshot', () => {
  it('give the bytes back however the stream is cut', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(payloads, fc.nat(2 ** 40), sizes, async (parts, start, cuts) => {
        expect(await decoded(chunked(parts, start), start, cuts)).toEqual(Buffer.concat(parts));
      }),
    );
  });

  it('are refused with any one bit changed, and nothing of the changed one is given', async () => {
    await fc.assert(
      fc.asyncProperty(payloads, fc.nat(), fc.nat(7), async (parts, position, bit) => {
        const bytes = chunked(parts, 0);
        const at = position % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        const given: Uint8Array[] = [];
        const decoding = (async () => {
          for await (const part of decodeChunks('s', cut(bytes, [11]), 0)) given.push(Buffer.from(part));
        })();
        await expect(decoding).rejects.toMatchObject(FAILED);
        const sound = Buffer.concat(parts);
        expect(Buffer.concat(given)).toEqual(sound.subarray(0, Buffer.concat(given).length));
      }),
    );
  });

  it('are refused at another place than their own, twice, or ended within one', async () => {
    const parts = [Buffer.from('first'), Buffer.from('second')];
    const bytes = chunked(parts, 0);
    await expect(decoded(bytes, 5)).rejects.toMatchObject(FAILED);
    const first = encodeChunk(0, Buffer.from('first'));
    await expect(decoded(Buffer.concat([first, first]), 0)).rejects.toMatchObject(FAILED);
    await expect(decoded(bytes.subarray(0, bytes.length - 1), 0)).rejects.toMatchObject(FAILED);
    expect(await decoded(first, 0)).toEqual(Buffer.from('first'));
  });
});
