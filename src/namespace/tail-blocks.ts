/** @module The short blocks at the end of a file, and how gathered blocks take their place. */
import { toHex } from '../common/bytes.ts';
import {
  checkBlockCount,
  dropReference,
  makePage,
  pageCount,
  pagesOf,
  replicatePages,
} from './block-references.ts';
import { invalidArgument } from './errors.ts';
import { extentKey } from './keys.ts';
import { EXTENT_PAGE_BLOCKS, MAX_TAIL_BLOCKS } from './limits.ts';
import { needsSteps, replicateLater } from './replication.ts';
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
  checkBlockCount(view, blockCount);

  // Somebody changed the file's replication meanwhile.
  const { replication } = file;
  const isLate = gathering.replication !== replication;
  const isLateAndLarge = isLate && needsSteps(view, gathering.blockCount);
  if (isLate && !isLateAndLarge)
    replicatePages(view, gathering, { fromPage: 0, toPage: pageCount(gathering), replication });
  for (const { hash } of replaced) dropReference(view, toHex(hash), timeMs);
  movePages(view, file, gathering, keepBlocks, gathered);
  const sizeBytes = file.sizeBytes + gathering.sizeBytes - sum(replaced);
  const appended: Inode = { ...file, blockCount, sizeBytes, tailBlocks: tailBlocks > 1 ? tailBlocks : 0 };
  if (isLateAndLarge) return replicateLater(view, appended, timeMs);
  const { pagesToReplicate } = file;
  if (pagesToReplicate === undefined) return appended;
  // Short blocks that were replaced by fewer may have taken the last page with them.
  return { ...appended, pagesToReplicate: Math.min(pagesToReplicate, pageCount(appended)) };
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

/** The blocks of `file` from `first` (0 when negative) to before `end`, or to its end. */
export function blocksFrom(
  view: RowView,
  file: Inode,
  first: number,
  end: number = file.blockCount,
): BlockRef[] {
  const from = Math.max(0, first);
  const firstPage = Math.floor(from / EXTENT_PAGE_BLOCKS);
  const keys: string[] = [];
  for (let page = firstPage; page * EXTENT_PAGE_BLOCKS < end; page++) keys.push(extentKey(file.id, page));
  const pages = view.getMany('extent', keys) as ExtentPage[];
  const offset = firstPage * EXTENT_PAGE_BLOCKS;
  return pages.flatMap(({ blocks }) => blocks).slice(from - offset, end - offset);
}

function sum(blocks: readonly BlockRef[]): number {
  return blocks.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}
