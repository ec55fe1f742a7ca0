/** @module Blocks cut from a source: whose memory they are in, and when it is used again. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { MIB } from '../../src/common/bytes.ts';
import { type SourceBlock, splitBlocks } from '../../src/client/block-splitter.ts';
import { contents } from './bytes.ts';

const BLOCK = MIB;

/** Every chunk in the same memory. */
async function* inOneBuffer(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(chunkBytes);
  for (let at = 0; at < bytes.byteLength; at += chunkBytes) {
    const chunk = bytes.subarray(at, at + chunkBytes);
    buffer.set(chunk);
    yield buffer.subarray(0, chunk.byteLength);
  }
}

async function blocksOf(
  source: AsyncIterable<Uint8Array> | Uint8Array,
  look: (block: SourceBlock) => void = () => undefined,
): Promise<SourceBlock[]> {
  const blocks: SourceBlock[] = [];
  for await (const block of splitBlocks(source, BLOCK)) {
    look(block);
    blocks.push(block);
  }
  return blocks;
}

const buffersOf = (blocks: readonly SourceBlock[]): Set<ArrayBufferLike> =>
  new Set(blocks.flatMap(({ pieces }) => pieces.map(({ buffer }) => buffer)));

it.each([7_001, 512 * 1024, 5 * MIB])(
  'a source may use its memory again: chunks of %i bytes',
  async (chunkBytes) => {
    const bytes = contents(3 * BLOCK + 12_345, 'source');
    const blocks = await blocksOf(inOneBuffer(bytes, chunkBytes));
    expect(Buffer.compare(Buffer.concat(blocks.flatMap(({ pieces }) => pieces)), bytes)).toBe(0);
    expect(blocks.map(({ sizeBytes }) => sizeBytes)).toEqual([BLOCK, BLOCK, BLOCK, 12_345]);
    expect(blocks.map(({ isLast }) => isLast)).toEqual([false, false, false, true]);
    for (const { hash, pieces } of blocks)
      expect(createHash('sha256').update(Buffer.concat(pieces)).digest().equals(hash)).toBe(true);
  },
);

it('a block is written over one that was freed, and over no other', async () => {
  const bytes = contents(6 * BLOCK, 'source');
  const kept = await blocksOf(inOneBuffer(bytes, MIB));
  const freed = await blocksOf(inOneBuffer(bytes, MIB), ({ hash, pieces, free }) => {
    expect(createHash('sha256').update(Buffer.concat(pieces)).digest().equals(hash)).toBe(true);
    free();
  });
  const perBlock = BLOCK / (MIB / 2);
  expect(buffersOf(kept).size).toBe(6 * perBlock);
  expect(buffersOf(freed).size).toBeLessThanOrEqual(3 * perBlock);
  for (const buffer of buffersOf(freed)) expect(buffer.byteLength).toBe(0);
});

it('a source that is one piece is not copied, and its memory stays its own', async () => {
  const bytes = contents(2 * BLOCK + 1, 'source');
  const blocks = await blocksOf(bytes, ({ free }) => free());
  expect(buffersOf(blocks)).toEqual(new Set([bytes.buffer]));
  expect(blocks.length).toBe(3);
});
