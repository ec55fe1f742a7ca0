/** @module The file tree over rows: finding, linking and detaching inodes. Every change keeps the counters exact. */
import { assert } from '../common/errors.ts';
import { isADirectory, notADirectory, notFound } from './errors.ts';
import { direntKey, numberKey } from './keys.ts';
import { EXTENT_PAGE_BLOCKS, ROOT_INODE } from './limits.ts';
import { joinPath, splitPath } from './path.ts';
import type { RowView } from './row-view.ts';
import { Inode } from './schema.ts';

/** When and as which log entry a command happens; the same on every node. */
export interface ApplyContext {
  readonly index: number;
  readonly timeMs: number;
}

/** A place in the tree under an existing directory, taken or free. Never the root. */
export interface Place {
  /** Canonical. */
  readonly path: string;
  readonly names: readonly string[];
  readonly parent: number;
  readonly name: string;
  readonly existing: Inode | undefined;
}

/** An inode that some row refers to, so it must be there. */
export function inodeOf(view: RowView, id: number): Inode {
  const inode = view.get('inode', numberKey(id));
  assert(inode !== undefined, `inode ${id}, which is referred to, exists`);
  return inode;
}

export function putInode(view: RowView, inode: Inode): void {
  view.put('inode', numberKey(inode.id), inode);
}

/** The entry `name` of directory `parent`, or undefined. */
export function childOf(view: RowView, parent: number, name: string): Inode | undefined {
  const dirent = view.get('dirent', direntKey(parent, name));
  return dirent && inodeOf(view, dirent.inode);
}

/** The inode at `names`. Throws NAMESPACE_NOT_FOUND, or NAMESPACE_NOT_A_DIRECTORY when a file stands in the way. */
export function findInode(view: RowView, names: readonly string[]): Inode {
  let inode = inodeOf(view, ROOT_INODE);
  for (const [depth, name] of names.entries()) {
    if (inode.kind !== 'directory') throw notADirectory(joinPath(names.slice(0, depth)));
    const child = childOf(view, inode.id, name);
    if (child === undefined) throw notFound(joinPath(names.slice(0, depth + 1)));
    inode = child;
  }
  return inode;
}

/** Like findInode, for what must be a directory. */
export function findDirectory(view: RowView, names: readonly string[]): Inode {
  const inode = findInode(view, names);
  if (inode.kind !== 'directory') throw notADirectory(joinPath(names));
  return inode;
}

/** The place `path` under its existing parent directory. Throws as findInode, and NAMESPACE_IS_A_DIRECTORY for `/`. */
export function findPlace(view: RowView, path: string): Place {
  const names = splitPath(path);
  const name = names.at(-1);
  if (name === undefined) throw isADirectory('/');
  const parent = findDirectory(view, names.slice(0, -1)).id;
  return { path: joinPath(names), names, parent, name, existing: childOf(view, parent, name) };
}

/** A fresh inode, not linked and not put yet. */
export function newInode(view: RowView, kind: 'directory' | 'file', context: ApplyContext): Inode {
  return Inode.fromPartial({
    id: view.counters.nextInode++,
    kind,
    mtimeMs: context.timeMs,
    ctimeMs: context.timeMs,
    version: nextVersion(view),
  });
}

/** A number no version of any content had before. The raft index would not do: one entry carries many commands. */
export function nextVersion(view: RowView): number {
  return view.counters.nextVersion++;
}

/** Links `inode` at a free place. */
export function link(
  view: RowView,
  parent: number,
  name: string,
  inode: Inode,
  context: ApplyContext,
): Inode {
  const linked: Inode = { ...inode, parent, name, open: false, ctimeMs: context.timeMs };
  view.put('dirent', direntKey(parent, name), { inode: inode.id });
  putInode(view, linked);
  changeChildren(view, parent, 1, context);
  count(view, linked, 1);
  return linked;
}

/** Links `inode` at a place; the file that stood there is detached. The caller made sure it is not a directory. */
export function linkOver(view: RowView, place: Place, inode: Inode, context: ApplyContext): Inode {
  if (place.existing !== undefined) detach(view, place.existing, context);
  return link(view, place.parent, place.name, inode, context);
}

/** Takes a file or a whole directory out of the tree in O(1); Housekeeping frees what hangs below. */
export function detach(view: RowView, inode: Inode, context: ApplyContext): void {
  unlinkEntry(view, inode, context);
  orphanInode(view, { ...inode, parent: 0, ctimeMs: context.timeMs });
}

/** Removes the entry of `inode` from its directory; the inode's own row is left to the caller. */
export function unlinkEntry(view: RowView, inode: Inode, context: ApplyContext): void {
  view.remove('dirent', direntKey(inode.parent, inode.name));
  changeChildren(view, inode.parent, -1, context);
  count(view, inode, -1);
}

/** Leaves an inode that is in no directory to Housekeeping. */
export function orphanInode(view: RowView, inode: Inode): void {
  const pagesLeft = Math.ceil(inode.blockCount / EXTENT_PAGE_BLOCKS);
  putInode(view, { ...inode, parent: 0, open: false });
  view.insert('orphan', numberKey(inode.id), { inode: inode.id, pagesLeft });
  view.counters.orphans++;
}

function changeChildren(view: RowView, id: number, delta: 1 | -1, context: ApplyContext): void {
  const directory = inodeOf(view, id);
  assert(directory.kind === 'directory', `inode ${id}, which has entries, is a directory`);
  putInode(view, {
    ...directory,
    childCount: directory.childCount + delta,
    mtimeMs: context.timeMs,
    ctimeMs: context.timeMs,
  });
}

/** An inode counts while an entry names it; those below a detached directory until Housekeeping comes to them. */
function count(view: RowView, inode: Inode, delta: 1 | -1): void {
  const { counters } = view;
  if (inode.kind === 'directory') {
    counters.directories += delta;
  } else {
    counters.files += delta;
    counters.logicalBytes += delta * inode.sizeBytes;
  }
}
