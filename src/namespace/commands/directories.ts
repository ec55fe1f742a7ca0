/** @module Commands on directories: make, remove when empty, remove with all that is inside. */
import { withAttributes } from '../attributes.ts';
import { exists, invalidArgument, isADirectory, notADirectory, notEmpty, notFound } from '../errors.ts';
import { numberKey } from '../keys.ts';
import { joinPath, splitPath } from '../path.ts';
import { checkDepth, findPlace, type Place } from '../place.ts';
import { resolvePath } from '../resolve-path.ts';
import { DONE, removedResult, statResult } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type {
  Attributes,
  Inode,
  MakeDirectory,
  RemoveDirectory,
  RemoveTree,
  Result,
  Unlink,
} from '../schema.ts';
import { type ApplyContext, detach, link, newInode, unlinkEntry } from '../tree.ts';

/** Without `parents`, what stands there already is refused (NAMESPACE_EXISTS); with it, an existing directory is fine. */
export function makeDirectory(view: RowView, command: MakeDirectory, context: ApplyContext): Result {
  const { path, attributes } = command;
  if (command.parents) {
    const made = makeDirectories(view, splitPath(path), attributes, context);
    return statResult(made.path, made.inode);
  }
  if (splitPath(path).length === 0) throw exists('/');
  const place = findPlace(view, path, 'keep');
  if (place.existing !== undefined) throw exists(place.path);
  return statResult(place.path, addDirectory(view, place.parent, place.names, attributes, context));
}

/** Makes what is missing of the way to `names`. Throws NAMESPACE_NOT_A_DIRECTORY when a file stands on it. */
export function makeDirectories(
  view: RowView,
  names: readonly string[],
  attributes: Attributes | undefined,
  context: ApplyContext,
): { path: string; inode: Inode } {
  const resolved = resolvePath(view, names, {
    last: 'follow',
    make: (parent, missing) => addDirectory(view, parent.id, missing, attributes, context),
  });
  const path = joinPath(resolved.names);
  if (resolved.inode?.kind !== 'directory') throw notADirectory(path);
  return { path, inode: resolved.inode };
}

/** Only an empty directory; never `/`. */
export function removeDirectory(view: RowView, command: RemoveDirectory, context: ApplyContext): Result {
  const { existing, path } = findRemovable(view, command.path);
  if (existing.kind !== 'directory') throw notADirectory(path);
  if (existing.childCount > 0) throw notEmpty(path, existing.childCount);
  discardDirectory(view, existing, context);
  return DONE;
}

/** Removes a directory that has no entries. */
export function discardDirectory(view: RowView, directory: Inode, context: ApplyContext): void {
  unlinkEntry(view, directory, context);
  view.remove('inode', numberKey(directory.id));
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
  const place = findPlace(view, path, 'keep');
  if (place.existing === undefined) throw notFound(place.path);
  return { ...place, existing: place.existing };
}

function addDirectory(
  view: RowView,
  parent: number,
  names: readonly string[],
  attributes: Attributes | undefined,
  context: ApplyContext,
): Inode {
  checkDepth(view, names);
  const inode = withAttributes(view, newInode(view, 'directory', context), attributes);
  return link(view, parent, names.at(-1) ?? '', inode, context);
}
