/** @module What blocks say of their write: enough to find the whole file again, and to see when a part is missing. */
import { expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { systemRandom } from '../../src/common/random.ts';
import { splitBlocks } from '../../src/client/block-splitter.ts';
import { WriteNotes } from '../../src/client/write-notes.ts';

const BLOCK = 64 * 1024;
const context = { clock: systemClock, random: systemRandom };

async function notesOf(sizes: readonly number[], kept?: ConstructorParameters<typeof WriteNotes>[1]['kept']) {
  const notes = new WriteNotes(context, { blockSizeBytes: BLOCK, kept });
  const source = (async function* () {
    for (const size of sizes) yield new Uint8Array(size).fill(size % 251);
  })();
  const noted = [];
  for await (const block of splitBlocks(source, BLOCK))
    noted.push({ ...notes.note(block), hash: block.hash });
  return noted;
}

it.each([
  ['whole blocks only', [BLOCK, BLOCK]],
  ['a short block at the end', [BLOCK, 10]],
  ['chunks that are no blocks, and empty ones', [BLOCK - 1, 0, 12, 0]],
])('the last block, and no other, has the size of the file: %s', async (_name, sizes) => {
  const noted = await notesOf(sizes);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  expect(noted.map(({ write }) => write.blockCount)).toEqual([0, 2]);
  expect(noted.at(-1)?.write.sizeBytes).toBe(total);
  expect(noted.map(({ position }) => position)).toEqual([0, 1]);
});

it('each block names the one before it, and all have one id that no other write has', async () => {
  const one = await notesOf([BLOCK, BLOCK, 5]);
  const other = await notesOf([BLOCK]);
  expect(one.map(({ write }) => write.previous)).toEqual([
    new Uint8Array(),
    ...one.slice(0, -1).map(({ hash }) => hash),
  ]);
  const ids = new Set([...one, ...other].map(({ write }) => Buffer.from(write.id).toString('hex')));
  expect(ids.size).toBe(2);
});

it('what is appended goes on where the blocks that are kept end', async () => {
  const kept = { fileId: 9, count: 3, sizeBytes: 3 * BLOCK, lastHash: new Uint8Array(32).fill(4) };
  const [noted] = await notesOf([7], kept);
  expect(noted?.position).toBe(3);
  expect(noted?.write.previous).toEqual(kept.lastHash);
  expect(noted?.write).toMatchObject({ blockCount: 4, sizeBytes: 3 * BLOCK + 7 });
});
