/** @module The short blocks at the end of a file, and how gathered blocks take their place. */
import { toHex } from '../common/bytes.ts';
import { dropReference, makePage, pagesOf, replicateBlocks } from './block-references.ts';
import { invalidArgument } from './errors.ts';
import { extentKey } from './keys.ts';
import { EXTENT_PAGE_BLOCKS, MAX_FILE_BLOCKS, MAX_TAIL_BLOCKS } from './limits.ts';
import type { RowView } from './row-view.ts';
import type { BlockRef, ExtentPage, Inode } from './schema.ts';

/**
 * Moves all blocks of `gathering` behind the first `keepBlocks` blocks of `file`; the ones after these lose a reference.
 * Touches only the pages from there on. Gives the file as it is then, not put yet; `gathering` has no blocks any more.
 */
export function replaceTail(
  view: RowView,
  file: Inode,
  gathering: Inode,
  keepBlocks: number,
  timeMs: number,
): Inode {
  if (gathering.blockCount === 0 && keepBlocks === file.blockCount) return file;
  const end = blocksFrom(view, file, file.blockCount - MAX_TAIL_BLOCKS);
  const short = end.slice(end.findLastIndex(({ sizeBytes }) => sizeBytes === file.blockSizeBytes) + 1);
  const gathered = pagesOf(view, gathering).flatMap(({ blocks }) => blocks);
  const fullBlocks = file.blockCount - short.length;
  if (keepBlocks < fullBlocks || keepBlocks > file.blockCount)
    throw invalidArgument(
      `Of the file's ${file.blockCount} blocks at least the ${fullBlocks} full ones are kept.`,
      { got: keepBlocks },
    );
  const kept = short.slice(0, keepBlocks - fullBlocks);
  const replaced = short.slice(kept.length);
  const tailBlocks = checkGathered(gathering, gathered, kept, replaced);
  const blockCount = keepBlocks + gathered.length;
  if (blockCount > MAX_FILE_BLOCKS)
    throw invalidArgument(`A file has at most ${MAX_FILE_BLOCKS} blocks; use a larger block size.`, {
      got: blockCount,
    });

  // Somebody changed the file's replication meanwhile.
  if (gathering.replication !== file.replication) replicateBlocks(view, gathering, file.replication);
  for (const { hash } of replaced) dropReference(view, toHex(hash), timeMs);
  movePages(view, file, gathering, keepBlocks, gathered);
  const sizeBytes = file.sizeBytes + gathering.sizeBytes - sum(replaced);
  return { ...file, blockCount, sizeBytes, tailBlocks: tailBlocks > 1 ? tailBlocks : 0 };
}

/** Gives how many short blocks the file will end with. A file is full blocks first and short ones after them: ranges are found by that. */
function checkGathered(
  { blockSizeBytes, sizeBytes }: Inode,
  gathered: readonly BlockRef[],
  kept: readonly BlockRef[],
  replaced: readonly BlockRef[],
): number {
  const isShort = (block: BlockRef | undefined): boolean => block?.sizeBytes !== blockSizeBytes;
  if (gathered.slice(0, -1).some(isShort))
    throw invalidArgument('Only the last block that is appended may be shorter than the block size.');
  const lastIsShort = isShort(gathered.at(-1));
  if (kept.length > 0 && (gathered.length > 1 || !lastIsShort))
    throw invalidArgument('Full blocks cannot follow short ones; the short ones must be replaced.');
  if (sizeBytes < sum(replaced))
    throw invalidArgument('What is appended must hold the bytes of the blocks it replaces.', {
      wanted: sum(replaced),
      got: sizeBytes,
    });
  const tailBlocks = kept.length + (lastIsShort ? 1 : 0);
  if (tailBlocks > MAX_TAIL_BLOCKS)
    throw invalidArgument(`A file ends with at most ${MAX_TAIL_BLOCKS} short blocks; replace some of them.`, {
      got: tailBlocks,
    });
  return tailBlocks;
}

function movePages(
  view: RowView,
  file: Inode,
  gathering: Inode,
  keepBlocks: number,
  gathered: readonly BlockRef[],
): void {
  const firstPage = Math.floor(keepBlocks / EXTENT_PAGE_BLOCKS);
  const head = blocksFrom(view, file, firstPage * EXTENT_PAGE_BLOCKS).slice(
    0,
    keepBlocks % EXTENT_PAGE_BLOCKS,
  );
  for (let page = firstPage; page * EXTENT_PAGE_BLOCKS < file.blockCount; page++)
    view.remove('extent', extentKey(file.id, page));
  for (let page = 0; page * EXTENT_PAGE_BLOCKS < gathering.blockCount; page++)
    view.remove('extent', extentKey(gathering.id, page));
  const moved = [...head, ...gathered];
  for (let from = 0; from < moved.length; from += EXTENT_PAGE_BLOCKS) {
    const blocks = moved.slice(from, from + EXTENT_PAGE_BLOCKS);
    view.put(
      'extent',
      extentKey(file.id, firstPage + from / EXTENT_PAGE_BLOCKS),
      makePage(blocks, file.replication),
    );
  }
}

/** The blocks of `file` from `first` (0 when negative) to its end. */
export function blocksFrom(view: RowView, file: Inode, first: number): BlockRef[] {
  const from = Math.max(0, first);
  const firstPage = Math.floor(from / EXTENT_PAGE_BLOCKS);
  const keys: string[] = [];
  for (let page = firstPage; page * EXTENT_PAGE_BLOCKS < file.blockCount; page++)
    keys.push(extentKey(file.id, page));
  const pages = view.getMany('extent', keys) as ExtentPage[];
  return pages.flatMap(({ blocks }) => blocks).slice(from - firstPage * EXTENT_PAGE_BLOCKS);
}

function sum(blocks: readonly BlockRef[]): number {
  return blocks.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}
