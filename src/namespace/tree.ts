/** @module The file tree over rows: linking and detaching inodes. Every change keeps the counters exact. */
import { assert } from '../common/errors.ts';
import { direntKey, numberKey } from './keys.ts';
import { EXTENT_PAGE_BLOCKS, ROOT_INODE } from './limits.ts';
import { joinPath } from './path.ts';
import type { RowView } from './row-view.ts';
import { Inode } from './schema.ts';

/** When and as which log entry a command happens; the same on every node. */
export interface ApplyContext {
  readonly index: number;
  readonly timeMs: number;
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

/** Where a linked inode stands; undefined when it, or a directory above it, was removed. */
export function pathOf(view: RowView, inode: Inode): string | undefined {
  const names: string[] = [];
  let at = inode;
  for (; at.parent !== 0; at = inodeOf(view, at.parent)) names.push(at.name);
  return at.id === ROOT_INODE ? joinPath(names.toReversed()) : undefined;
}

/** A fresh inode, not linked and not put yet. */
export function newInode(
  view: RowView,
  kind: 'directory' | 'file' | 'symlink',
  context: ApplyContext,
): Inode {
  const id = view.counters.nextInode++;
  if (kind === 'directory') view.makesDirectory(numberKey(id));
  return Inode.fromPartial({
    id,
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
