/** @module Finding what stands at a path, and putting something there. */
import { isADirectory, notADirectory, notFound } from './errors.ts';
import { hasLevel } from './feature-level.ts';
import { DEFAULT_REPLICATION } from './limits.ts';
import { checkReach, joinPath, splitPath } from './path.ts';
import { type LastLink, resolvePath } from './resolve-path.ts';
import type { RowView } from './row-view.ts';
import type { Inode } from './schema.ts';
import { type ApplyContext, detach, link } from './tree.ts';

/** What is there. */
export interface Found {
  /** Without the symlinks that led to it. */
  readonly path: string;
  /** The directories from `/` to the one it is in; none for `/` itself. */
  readonly ancestors: readonly Inode[];
  readonly inode: Inode;
}

/** A place in the tree under an existing directory, taken or free. Never the root. */
export interface Place {
  /** Without the symlinks that led to it. */
  readonly path: string;
  readonly names: readonly string[];
  readonly ancestors: readonly Inode[];
  readonly parent: number;
  readonly name: string;
  readonly existing: Inode | undefined;
}

/** Throws NAMESPACE_NOT_FOUND, _NOT_A_DIRECTORY when a file stands in the way, _TOO_MANY_LINKS. */
export function findInode(view: RowView, path: string, last: LastLink = 'follow'): Found {
  const { names, ancestors, inode } = resolvePath(view, splitPath(path), { last });
  if (inode === undefined) throw notFound(joinPath(names));
  return { path: joinPath(names), ancestors, inode };
}

/** Like findInode, for what must be a directory. */
export function findDirectory(view: RowView, path: string): Found {
  const found = findInode(view, path);
  if (found.inode.kind !== 'directory') throw notADirectory(found.path);
  return found;
}

/** The place `path` under its existing parent directory. Throws as findInode, and NAMESPACE_IS_A_DIRECTORY for `/`. */
export function findPlace(view: RowView, path: string, last: LastLink = 'follow'): Place {
  const { names, ancestors, inode } = resolvePath(view, splitPath(path), { last });
  const name = names.at(-1);
  const parent = ancestors.at(-1);
  if (name === undefined || parent === undefined) throw isADirectory('/');
  return { path: joinPath(names), names, ancestors, parent: parent.id, name, existing: inode };
}

/** Links `inode` at a place; the file that stood there is detached. The caller made sure it is not a directory. */
export function linkOver(view: RowView, place: Place, inode: Inode, context: ApplyContext): Inode {
  checkDepth(view, place.names);
  if (place.existing !== undefined) detach(view, place.existing, context);
  return link(view, place.parent, place.name, inode, context);
}

/** Refuses, from feature level 2, what would lie too deep. */
export function checkDepth(view: RowView, names: readonly string[]): void {
  if (hasLevel(view, 2)) checkReach(names);
}

/** Copies of a new file that does not say how many: what the nearest of `ancestors` (from `/` down) says, or the cluster. */
export function inheritedReplication(view: RowView, ancestors: readonly Inode[]): number {
  const above = ancestors.findLast(({ replication }) => replication > 0)?.replication;
  return above ?? (view.cluster?.defaultReplication || DEFAULT_REPLICATION);
}
