/** @module Commands on directories: make, remove when empty, remove with all that is inside. */
import { exists, invalidArgument, isADirectory, notADirectory, notEmpty, notFound } from '../errors.ts';
import { numberKey } from '../keys.ts';
import { ROOT_INODE } from '../limits.ts';
import { joinPath, splitPath } from '../path.ts';
import { DONE, removedResult, statResult } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { Inode, MakeDirectory, RemoveDirectory, RemoveTree, Result, Unlink } from '../schema.ts';
import {
  type ApplyContext,
  childOf,
  detach,
  findPlace,
  inodeOf,
  link,
  newInode,
  type Place,
  unlinkEntry,
} from '../tree.ts';

/** Without `parents`, what stands there already is refused (NAMESPACE_EXISTS); with it, an existing directory is fine. */
export function makeDirectory(view: RowView, command: MakeDirectory, context: ApplyContext): Result {
  const names = splitPath(command.path);
  const path = joinPath(names);
  if (command.parents) return statResult(path, makeDirectories(view, names, context));
  if (names.length === 0) throw exists('/');
  const place = findPlace(view, command.path);
  if (place.existing !== undefined) throw exists(path);
  return statResult(path, addDirectory(view, place.parent, place.name, context));
}

/** Makes what is missing of the way to `names`. Throws NAMESPACE_NOT_A_DIRECTORY when a file stands on it. */
export function makeDirectories(view: RowView, names: readonly string[], context: ApplyContext): Inode {
  let directory = inodeOf(view, ROOT_INODE);
  for (const [depth, name] of names.entries()) {
    const child = childOf(view, directory.id, name) ?? addDirectory(view, directory.id, name, context);
    if (child.kind !== 'directory') throw notADirectory(joinPath(names.slice(0, depth + 1)));
    directory = child;
  }
  return directory;
}

/** Only an empty directory; never `/`. */
export function removeDirectory(view: RowView, command: RemoveDirectory, context: ApplyContext): Result {
  const { existing, path } = findRemovable(view, command.path);
  if (existing.kind !== 'directory') throw notADirectory(path);
  if (existing.childCount > 0) throw notEmpty(path, existing.childCount);
  unlinkEntry(view, existing, context);
  view.remove('inode', numberKey(existing.id));
  return DONE;
}

/** Detaches a file or a directory with all below it in O(1); never `/`. */
export function removeTree(view: RowView, command: RemoveTree, context: ApplyContext): Result {
  const { existing } = findRemovable(view, command.path);
  detach(view, existing, context);
  return removedResult(existing.kind === 'directory' ? 0 : 1);
}

export function unlink(view: RowView, command: Unlink, context: ApplyContext): Result {
  const { existing, path } = findRemovable(view, command.path);
  if (existing.kind === 'directory') throw isADirectory(path);
  detach(view, existing, context);
  return removedResult(1);
}

function findRemovable(view: RowView, path: string): Place & { readonly existing: Inode } {
  if (splitPath(path).length === 0) throw invalidArgument('/ cannot be removed; name something inside it.');
  const place = findPlace(view, path);
  if (place.existing === undefined) throw notFound(place.path);
  return { ...place, existing: place.existing };
}

function addDirectory(view: RowView, parent: number, name: string, context: ApplyContext): Inode {
  const inode = newInode(view, 'directory', context);
  return link(view, parent, name, inode, context);
}
