/** @module Rename: one atomic step for a file or for a directory with all that is in it. */
import {
  exists,
  intoItself,
  invalidArgument,
  isADirectory,
  notADirectory,
  notEmpty,
  notFound,
} from '../errors.ts';
import { hasLevel } from '../feature-level.ts';
import { isInside, splitPath } from '../path.ts';
import { checkDepth, findPlace, linkOver } from '../place.ts';
import { statResult } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { Inode, Rename, Result } from '../schema.ts';
import { type ApplyContext, unlinkEntry } from '../tree.ts';
import { discardDirectory } from './directories.ts';

/**
 * As POSIX has it. Onto itself: nothing happens. A file or symlink replaces a file or symlink, a directory an empty
 * directory (from feature level 2). Refused: a file onto a directory (NAMESPACE_IS_A_DIRECTORY), a directory onto a file
 * (NAMESPACE_NOT_A_DIRECTORY), onto one with entries (NAMESPACE_NOT_EMPTY) or into itself (NAMESPACE_INTO_ITSELF), and
 * with `noClobber` whatever is taken (NAMESPACE_EXISTS). Moving *into* a directory is the caller's path to spell out.
 */
export function rename(view: RowView, command: Rename, context: ApplyContext): Result {
  if (splitPath(command.from).length === 0) throw invalidArgument('/ cannot be moved.');
  const source = findPlace(view, command.from, 'keep');
  const inode = source.existing;
  if (inode === undefined) throw notFound(source.path);
  if (inode.kind === 'directory' && isInside(splitPath(command.to), source.names))
    throw intoItself(source.path, command.to);
  const target = findPlace(view, command.to, 'keep');
  if (target.path === source.path) return statResult(source.path, inode);
  // A symlink may lead back inside although the path as it was typed does not.
  if (target.ancestors.some(({ id }) => id === inode.id)) throw intoItself(source.path, target.path);
  if (target.existing !== undefined) {
    if (command.noClobber) throw exists(target.path);
    checkReplaceable(view, inode, target.existing, target.path);
  }
  checkDepth(view, target.names);
  unlinkEntry(view, inode, context);
  if (target.existing?.kind !== 'directory')
    return statResult(target.path, linkOver(view, target, inode, context));
  discardDirectory(view, target.existing, context);
  return statResult(target.path, linkOver(view, { ...target, existing: undefined }, inode, context));
}

function checkReplaceable(view: RowView, source: Inode, target: Inode, path: string): void {
  const isDirectory = source.kind === 'directory';
  if (target.kind !== 'directory') {
    if (isDirectory) throw notADirectory(path);
    return;
  }
  if (!isDirectory || !hasLevel(view, 2)) throw isADirectory(path);
  if (target.childCount > 0) throw notEmpty(path, target.childCount);
}
