/** @module A file's blocks from what datanodes tell: all of them beyond doubt, or a reason. */
import { expect, it } from 'vitest';
import { BlockChains } from '../../../src/client/recovery/block-chain.ts';
import type { FoundBlocks } from '../../../src/client/recovery/found-blocks.ts';
import { hexOf, type Written, WrittenBlocks } from './written-blocks.ts';

async function blocksOf(found: FoundBlocks, { id }: Written): Promise<string[] | string> {
  const version = await found.version(id);
  if (version === undefined) return 'nothing';
  const { blocks, loss } = await new BlockChains(found).blocksOf(version);
  return loss?.reason ?? (blocks ?? []).map(({ hash }) => hash);
}

it('finds a file of several blocks, also where one of them stands twice', async () => {
  const written = new WrittenBlocks();
  const file = written.write('/a', ['x', 'y', 'x', 'z:5']);
  expect(await blocksOf(await written.found(), file)).toEqual(hexOf(file.names));
});

it.each([
  ['a block in the middle', 'y', 'block-missing'],
  ['the first block', 'x', 'block-missing'],
  ['the last block', 'z', 'unfinished'],
])('finds no file that lacks %s', async (_what, lost, reason) => {
  const written = new WrittenBlocks();
  const file = written.write('/a', ['x', 'y', 'z']);
  expect(await blocksOf(await written.found({ blocks: [lost] }), file)).toBe(reason);
});

it('finds no file of which the last block was never written', async () => {
  const written = new WrittenBlocks();
  const file = written.write('/a', ['x', 'y', 'z'], { unfinished: true });
  expect(await blocksOf(await written.found(), file)).toBe('unfinished');
});

it('does not guess the place of a block that only the next one names', async () => {
  const written = new WrittenBlocks();
  const file = written.write('/a', ['x', 'zero', 'zero', 'z']);
  const found = await written.found({ place: (name, { position }) => name === 'zero' && position === 2 });
  expect(await blocksOf(found, file)).toBe('place-unknown');
});

it('does not take the beginning of another file for one whose own places are not kept', async () => {
  const written = new WrittenBlocks();
  written.write('/other', ['q', 'zero']);
  const file = written.write('/a', ['zero', 'zero', 'z']);
  const found = await written.found({
    place: (_name, { pathHint, position }) => pathHint === '/a' && position < 2,
  });
  expect(await blocksOf(found, file)).toBe('place-unknown');
});

it('follows appends back to the put, over replaced short blocks and renames', async () => {
  const written = new WrittenBlocks();
  const put = written.write('/a', ['x', 'y:5']);
  const first = written.write('/a', ['y2', 'z:7'], { fileId: 9, kept: ['x'] });
  const second = written.write('/b', ['w:3'], { fileId: 9, kept: ['x', 'y2', 'z:7'] });
  const found = await written.found();
  for (const file of [put, first, second]) expect(await blocksOf(found, file)).toEqual(hexOf(file.names));
});

it('refuses an append before which two different beginnings fit, unless one is of the same inode', async () => {
  const written = new WrittenBlocks();
  written.write('/a', ['x', 'same']);
  written.write('/b', ['q', 'same']);
  const unclear = written.write('/a', ['end:1'], { fileId: 9, kept: ['x', 'same'] });
  expect(await blocksOf(await written.found(), unclear)).toBe('ambiguous');
  written.write('/c', ['r', 'same'], { fileId: 12 });
  const clear = written.write('/c', ['end2:1'], { fileId: 12, kept: ['r', 'same'] });
  expect(await blocksOf(await written.found(), clear)).toEqual(hexOf(clear.names));
});

it('accepts an append before which two writes of the same bytes fit', async () => {
  const written = new WrittenBlocks();
  written.write('/a', ['x', 'y']);
  written.write('/a', ['x', 'y']);
  const file = written.write('/a', ['end:1'], { fileId: 9, kept: ['x', 'y'] });
  expect(await blocksOf(await written.found(), file)).toEqual(hexOf(file.names));
});

it('finds no appended file when what fits may not be what it was: the true beginning is lost', async () => {
  const written = new WrittenBlocks();
  written.write('/a', ['x', 'same']);
  written.write('/b', ['q', 'same']);
  const file = written.write('/a', ['end:1'], { kept: ['x', 'same'] });
  expect(await blocksOf(await written.found({ blocks: ['x'] }), file)).not.toEqual(
    hexOf(['q', 'same', 'end:1']),
  );
});

it('finds no file whose blocks do not add up to its size', async () => {
  const written = new WrittenBlocks();
  const file = written.write('/a', ['x', 'y:5']);
  const found = await written.found();
  const version = await found.version(file.id);
  const wrong = { ...version, sizeBytes: 1_004 } as NonNullable<typeof version>;
  expect((await new BlockChains(found).blocksOf(wrong)).loss?.reason).toBe('wrong-size');
});
