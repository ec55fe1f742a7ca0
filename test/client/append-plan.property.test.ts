/** @module What appends cost and leave behind, whatever their sizes. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { blocksToReplace, enoughBytes } from '../../src/client/append-plan.ts';

const BLOCK = 1 << 20;

/** A file as the sizes of its blocks; gives the bytes written for one append. */
function append(blocks: number[], newBytes: number): number {
  const tail = blocks.slice(blocks.findLastIndex((size) => size === BLOCK) + 1);
  const replaced = blocksToReplace(tail, newBytes);
  let bytes = newBytes;
  for (let count = 0; count < replaced; count++) bytes += blocks.pop() ?? 0;
  const written = bytes;
  for (; bytes > 0; bytes -= BLOCK) blocks.push(Math.min(bytes, BLOCK));
  return written;
}

const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 2 * BLOCK })), {
  maxLength: 60,
});

it('leaves full blocks first, then few short ones, each at most half of the one before', () => {
  fc.assert(
    fc.property(sizes, (appends) => {
      const blocks: number[] = [];
      for (const size of appends) {
        append(blocks, size);
        const tail = blocks.slice(blocks.findLastIndex((block) => block === BLOCK) + 1);
        expect(blocks.slice(0, blocks.length - tail.length).every((block) => block === BLOCK)).toBe(true);
        tail.forEach((block, position) =>
          expect(block).toBeLessThanOrEqual((tail[position - 1] ?? 2 * BLOCK) / 2),
        );
        expect(tail.length).toBeLessThanOrEqual(Math.log2(BLOCK) + 1);
      }
      const total = appends.reduce((sum, size) => sum + size, 0);
      expect(blocks.reduce((sum, size) => sum + size, 0)).toBe(total);
    }),
  );
});

it('writes each byte O(log(block size)) times: ten thousand appends of 100 bytes write less than twelve times their bytes', () => {
  const blocks: number[] = [];
  let written = 0;
  for (let count = 0; count < 10_000; count++) written += append(blocks, 100);
  expect(written).toBeLessThan(12 * 10_000 * 100);
  expect(blocks.length).toBeLessThan(20);
});

it('knows when enough is known to take up the whole tail', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: BLOCK - 1 }), { maxLength: 8 }), (tail) => {
      const enough = enoughBytes(tail);
      if (tail.length > 0) expect(blocksToReplace(tail, enough)).toBe(tail.length);
      expect(blocksToReplace(tail, enough + BLOCK)).toBe(tail.length);
    }),
  );
});

it('leaves the tail alone when nothing is appended', () => {
  expect(blocksToReplace([10, 2], 0)).toBe(0);
});
