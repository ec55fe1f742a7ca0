/** @module Which blocks a file has, and how many references each block has. */
import { toHex } from '../common/bytes.ts';
import { assert } from '../common/errors.ts';
import { HASH_SIZE_BYTES } from '../common/hashing.ts';
import { currentEra } from './collection.ts';
import { invalidArgument, writtenTooLongAgo } from './errors.ts';
import { activeLevel, hasLevel } from './feature-level.ts';
import { extentKey } from './keys.ts';
import {
  EXTENT_PAGE_BLOCKS,
  MAX_APPENDED_BLOCKS,
  MAX_BLOCK_SIZE_BYTES,
  MAX_BLOCKS_PER_COMMAND,
  maxFileBlocks,
} from './limits.ts';
import type { RowView } from './row-view.ts';
import type { BlockRef, ExtentPage, Inode } from './schema.ts';

/** Refuses blocks a command may not carry: too many, without a SHA-256, or of a size the file cannot have. */
export function checkBlocks(blocks: readonly BlockRef[], maxSizeBytes: number): void {
  if (blocks.length > MAX_BLOCKS_PER_COMMAND)
    throw invalidArgument(
      `One command carries at most ${MAX_BLOCKS_PER_COMMAND} blocks; send them in parts.`,
      {
        got: blocks.length,
      },
    );
  const maxBytes = Math.min(maxSizeBytes, MAX_BLOCK_SIZE_BYTES);
  for (const { hash, sizeBytes } of blocks) {
    if (hash.length !== HASH_SIZE_BYTES)
      throw invalidArgument(`A block is named by ${HASH_SIZE_BYTES} bytes of SHA-256.`, { got: hash.length });
    if (sizeBytes < 1 || sizeBytes > maxBytes)
      throw invalidArgument(`A block of this file has 1 to ${maxBytes} bytes.`, { got: sizeBytes });
  }
}

/** Refuses more blocks than a file may have. */
export function checkBlockCount(view: RowView, blockCount: number): void {
  const most = maxFileBlocks(activeLevel(view.cluster));
  if (blockCount > most)
    throw invalidArgument(`A file has at most ${most} blocks; use a larger block size.`, { got: blockCount });
}

/** Says early which rows addBlocks will look at. */
export function hintBlocks(view: RowView, blocks: readonly BlockRef[]): void {
  const keys = blocks.map(({ hash }) => toHex(hash));
  view.hint('block', keys);
  if (!hasLevel(view, 2)) view.hint('garbage', keys);
}

/**
 * Appends `blocks` to a file's pages and takes a reference to each. Gives the inode as it is then, not put yet.
 * Refuses blocks that were written two eras ago or earlier (NAMESPACE_WRITTEN_TOO_LONG_AGO).
 */
export function addBlocks(
  view: RowView,
  inode: Inode,
  blocks: readonly BlockRef[],
  writtenEra: number,
): Inode {
  const blockCount = inode.blockCount + blocks.length;
  checkBlockCount(view, blockCount);
  if (inode.appendTo !== 0 && blockCount > MAX_APPENDED_BLOCKS)
    throw invalidArgument(
      `At most ${MAX_APPENDED_BLOCKS} blocks are appended in one step; append in parts.`,
      {
        got: blockCount,
      },
    );
  checkEra(view, blocks, writtenEra);
  hintBlocks(view, blocks);
  let sizeBytes = inode.sizeBytes;
  for (let taken = 0; taken < blocks.length; ) {
    const position = inode.blockCount + taken;
    const offset = position % EXTENT_PAGE_BLOCKS;
    const key = extentKey(inode.id, (position - offset) / EXTENT_PAGE_BLOCKS);
    // The hash is copied, or the row in the cache would hold the whole log entry it was cut from.
    const part = blocks
      .slice(taken, taken + EXTENT_PAGE_BLOCKS - offset)
      .map((block) => ({ hash: new Uint8Array(block.hash), sizeBytes: block.sizeBytes }));
    const before = offset === 0 ? [] : pageAt(view, key).blocks;
    const page = makePage([...before, ...part], inode.replication);
    if (offset === 0) view.insert('extent', key, page);
    else view.put('extent', key, page);
    for (const block of part) {
      takeReference(view, block, inode.replication);
      sizeBytes += block.sizeBytes;
    }
    taken += part.length;
  }
  return { ...inode, blockCount, sizeBytes };
}

/** Gives `copy` the same blocks as `source`: a reference each, no byte moved. Gives the copy as it is then, not put yet. */
export function shareBlocks(view: RowView, source: Inode, copy: Inode): Inode {
  const pages = pagesOf(view, source);
  hintPages(view, pages);
  for (const [page, { blocks }] of pages.entries()) {
    view.insert('extent', extentKey(copy.id, page), makePage(blocks, copy.replication));
    for (const block of blocks) takeReference(view, block, copy.replication);
  }
  return { ...copy, blockCount: source.blockCount, sizeBytes: source.sizeBytes };
}

/**
 * Asks for `replication` copies of each block of a file, from page `fromPage` to before `toPage`. A block that other files
 * share keeps the highest number anybody ever asked for: whether the others still need it is not known without reading
 * all of them.
 */
export function replicatePages(
  view: RowView,
  inode: Inode,
  { fromPage, toPage, replication }: { fromPage: number; toPage: number; replication: number },
): void {
  const pages = pagesBetween(view, inode, fromPage, toPage);
  hintPages(view, pages);
  for (const [at, { blocks }] of pages.entries()) {
    view.put('extent', extentKey(inode.id, fromPage + at), makePage(blocks, replication));
    for (const { hash } of blocks) {
      const key = toHex(hash);
      const row = view.get('block', key);
      assert(row !== undefined, `block ${key}, which a file has, exists`);
      const copies = row.references === 1 ? replication : Math.max(row.copies, replication);
      view.counters.wantedBytes += (copies - row.copies) * row.sizeBytes;
      view.put('block', key, { ...row, copies });
    }
  }
}

/** Gives up a page's references and the page itself; blocks left without any become garbage. Gives how many it let go. */
export function freePage(view: RowView, inode: number, page: number, timeMs: number): number {
  const key = extentKey(inode, page);
  const { blocks } = pageAt(view, key);
  view.hint(
    'block',
    blocks.map(({ hash }) => toHex(hash)),
  );
  for (const { hash } of blocks) dropReference(view, toHex(hash), timeMs);
  view.remove('extent', key);
  return blocks.length;
}

/**
 * From the second era after the one they were written in, blocks are the collectors': even of one that other files refer to
 * by now, these very copies may be gone.
 */
function checkEra(view: RowView, [first]: readonly BlockRef[], writtenEra: number): void {
  const era = currentEra(view.cluster);
  if (first !== undefined && era > writtenEra + 1)
    throw writtenTooLongAgo(toHex(first.hash), writtenEra, era);
}

function takeReference(view: RowView, block: BlockRef, copies: number): void {
  const key = toHex(block.hash);
  const { counters } = view;
  const row = view.get('block', key);
  if (row === undefined) {
    if (!hasLevel(view, 2) && view.get('garbage', key) !== undefined) view.remove('garbage', key);
    view.put('block', key, { sizeBytes: block.sizeBytes, references: 1, copies });
    counters.blocks++;
    counters.blockBytes += block.sizeBytes;
    counters.wantedBytes += block.sizeBytes * copies;
    return;
  }
  if (row.sizeBytes !== block.sizeBytes)
    throw invalidArgument(`Block ${key} has ${row.sizeBytes} bytes, not ${block.sizeBytes}.`, { block: key });
  const most = Math.max(row.copies, copies);
  counters.wantedBytes += (most - row.copies) * row.sizeBytes;
  view.put('block', key, { ...row, references: row.references + 1, copies: most });
}

export function dropReference(view: RowView, key: string, timeMs: number): void {
  const { counters } = view;
  const row = view.get('block', key);
  assert(row !== undefined && row.references > 0, `block ${key}, which a file has, is referred to`);
  if (row.references > 1) {
    view.put('block', key, { ...row, references: row.references - 1 });
    return;
  }
  view.remove('block', key);
  if (!hasLevel(view, 2)) view.put('garbage', key, { sizeBytes: row.sizeBytes, sinceMs: timeMs });
  counters.blocks--;
  counters.blockBytes -= row.sizeBytes;
  counters.wantedBytes -= row.sizeBytes * row.copies;
}

/** All at once: page by page, each page that has to wait would begin the file anew. */
function hintPages(view: RowView, pages: readonly ExtentPage[]): void {
  for (const { blocks } of pages) hintBlocks(view, blocks);
}

export function pageCount({ blockCount }: Pick<Inode, 'blockCount'>): number {
  return Math.ceil(blockCount / EXTENT_PAGE_BLOCKS);
}

/** All pages of a file, in order. */
export function pagesOf(view: RowView, inode: Inode): ExtentPage[] {
  return pagesBetween(view, inode, 0, pageCount(inode));
}

function pagesBetween(view: RowView, inode: Inode, from: number, to: number): ExtentPage[] {
  const keys = Array.from({ length: to - from }, (_, at) => extentKey(inode.id, from + at));
  view.hint('extent', keys);
  return keys.map((key) => pageAt(view, key));
}

function pageAt(view: RowView, key: string): ExtentPage {
  const page = view.get('extent', key);
  assert(page !== undefined, `page ${key} of a file exists`);
  return page;
}

export function makePage(blocks: BlockRef[], copies: number): ExtentPage {
  return { blocks, layout: { kind: { $case: 'replicated', value: { copies } } } };
}
