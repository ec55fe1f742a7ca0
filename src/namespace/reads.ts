/** @module Questions about the namespace. Each is a synchronous attempt over the rows in memory, like a command's. */
import { assert } from '../common/errors.ts';
import { collectionOf } from './collection.ts';
import { contentGone, isADirectory, versionMismatch } from './errors.ts';
import { direntRange, END_OF_TABLE, extentKey, nameOfDirent, numberKey } from './keys.ts';
import { EXTENT_PAGE_BLOCKS, MAX_LIST_ENTRIES, MAX_SCAN_BLOCKS } from './limits.ts';
import { findDirectory, findInode, inheritedReplication } from './place.ts';
import type { LastLink } from './resolve-path.ts';
import { toStat } from './results.ts';
import type { RowView } from './row-view.ts';
import type { BlockRef, Collection, Inode, ListEntry, Stat } from './schema.ts';

export interface Listing {
  readonly directory: Stat;
  /** In the order of the names' UTF-8 bytes. */
  readonly entries: ListEntry[];
  readonly more: boolean;
}

/** A file by its path, or by inode: the latter finds a file that was replaced since, until Housekeeping comes to it. */
export type FileName =
  | { readonly path: string; readonly inode?: undefined; readonly version?: number }
  | { readonly path?: undefined; readonly inode: number; readonly version?: number };

export interface FileBlocks {
  readonly stat: Stat;
  readonly blocks: BlockRef[];
}

export interface WantedBlock {
  /** Lower-case hex. */
  readonly hash: string;
  readonly sizeBytes: number;
  readonly copies: number;
}

export function readStat(view: RowView, path: string, last: LastLink): Stat {
  const found = findInode(view, path, last);
  const stat = toStat(found.path, found.inode);
  if (found.inode.kind !== 'directory') return stat;
  const inherited = inheritedReplication(view, [...found.ancestors, found.inode]);
  return { ...stat, inheritedReplication: inherited };
}

/** Entries with names after `after`, 1..MAX_LIST_ENTRIES of them. Throws NAMESPACE_NOT_A_DIRECTORY for a file. */
export function readList(view: RowView, path: string, after: string, limit: number): Listing {
  const { path: canonical, inode: directory } = findDirectory(view, path);
  const count = Math.min(Math.max(limit, 1), MAX_LIST_ENTRIES);
  const { from, to } = direntRange(directory.id, after);
  const rows = view.scan('dirent', from, to, count + 1);
  const page = rows.slice(0, count);
  const inodes = view.peekMany(
    'inode',
    page.map(({ row }) => numberKey(row.inode)),
  );
  const entries = page.map(({ key, row }, position) => {
    const inode = inodes[position];
    assert(inode !== undefined, `inode ${row.inode}, which is listed, exists`);
    const name = nameOfDirent(key);
    const childPath = canonical === '/' ? `/${name}` : `${canonical}/${name}`;
    return { name, stat: toStat(childPath, inode) };
  });
  return { directory: toStat(canonical, directory), entries, more: rows.length > count };
}

/**
 * Blocks [first, first + limit) of a file. With a version (not 0), only of that content: NAMESPACE_VERSION_MISMATCH.
 * NAMESPACE_NOT_FOUND also when the content asked for by inode is being freed, or was never closed.
 */
export function readFileBlocks(view: RowView, file: FileName, first: number, limit: number): FileBlocks {
  const { path, inode } = findFile(view, file);
  if (file.version && file.version !== inode.version)
    throw versionMismatch(path || `inode ${inode.id}`, file.version, inode.version);
  const end = Math.min(first + Math.max(limit, 0), inode.blockCount);
  const keys: string[] = [];
  const firstPage = Math.floor(first / EXTENT_PAGE_BLOCKS);
  for (let page = firstPage; page * EXTENT_PAGE_BLOCKS < end; page++) keys.push(extentKey(inode.id, page));
  const blocks = view.getMany('extent', keys).flatMap((page) => {
    if (page !== undefined) return page.blocks;
    assert(inode.parent === 0, `all pages of the linked file ${inode.id} exist`);
    throw contentGone(inode.id);
  });
  const offset = first - firstPage * EXTENT_PAGE_BLOCKS;
  return { stat: toStat(path, inode), blocks: blocks.slice(offset, Math.max(offset, offset + end - first)) };
}

/** Blocks that files refer to, after `afterHash` ('' for the first), in order of their hashes; at most MAX_SCAN_BLOCKS. */
export function readBlocks(view: RowView, afterHash: string, limit: number): WantedBlock[] {
  const from = afterHash === '' ? '' : `${afterHash}\0`;
  const count = Math.min(Math.max(limit, 1), MAX_SCAN_BLOCKS);
  return view
    .scan('block', from, END_OF_TABLE, count)
    .map(({ key, row }) => ({ hash: key, sizeBytes: row.sizeBytes, copies: row.copies }));
}

/** What the namespace says of blocks at one moment. */
export interface BlockReferences {
  /** Copies wanted of each block asked for, in that order; 0 when no file refers to it. */
  readonly copies: number[];
  /** Raft index: everything up to it has been applied. */
  readonly index: number;
  readonly collection: Collection;
}

/** Looks each block up by its hash (lower-case hex): an answer about exactly these, not what is left over from a listing. */
export function readReferences(view: RowView, hashes: readonly string[]): BlockReferences {
  const copies = view.peekMany('block', hashes).map((row) => row?.copies ?? 0);
  return { copies, index: view.counters.appliedIndex, collection: collectionOf(view.cluster) };
}

/** Those of `hashes` (lower-case hex) that files refer to. */
export function readWanted(view: RowView, hashes: readonly string[]): WantedBlock[] {
  const rows = view.peekMany('block', hashes);
  return hashes.flatMap((hash, position) => {
    const row = rows[position];
    return row === undefined ? [] : [{ hash, sizeBytes: row.sizeBytes, copies: row.copies }];
  });
}

function findFile(view: RowView, file: FileName): { path: string; inode: Inode } {
  if (file.path === undefined) {
    const inode = view.get('inode', numberKey(file.inode));
    if (inode === undefined || inode.open || inode.kind !== 'file') throw contentGone(file.inode);
    return { path: '', inode };
  }
  const { path, inode } = findInode(view, file.path);
  if (inode.kind === 'directory') throw isADirectory(path);
  return { path, inode };
}
