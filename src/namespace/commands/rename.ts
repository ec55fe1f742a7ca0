/** @module Rename: one atomic step for a file or for a directory with all that is in it. */
import { exists, intoItself, invalidArgument, isADirectory, notADirectory, notFound } from '../errors.ts';
import { isInside, splitPath } from '../path.ts';
import { statResult } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { Rename, Result } from '../schema.ts';
import { type ApplyContext, findPlace, linkOver, unlinkEntry } from '../tree.ts';

/**
 * Onto itself: nothing happens. Onto a file: it is replaced, unless `noClobber` (NAMESPACE_EXISTS) or the source is a
 * directory (NAMESPACE_NOT_A_DIRECTORY). Onto a directory: refused (NAMESPACE_IS_A_DIRECTORY; NAMESPACE_EXISTS with
 * `noClobber`): moving *into* a directory is the caller's path to spell out.
 */
export function rename(view: RowView, command: Rename, context: ApplyContext): Result {
  if (splitPath(command.from).length === 0) throw invalidArgument('/ cannot be moved.');
  const source = findPlace(view, command.from);
  const inode = source.existing;
  if (inode === undefined) throw notFound(source.path);
  const targetNames = splitPath(command.to);
  if (inode.kind === 'directory' && isInside(targetNames, source.names))
    throw intoItself(source.path, command.to);
  const target = findPlace(view, command.to);
  if (target.path === source.path) return statResult(source.path, inode);
  if (target.existing !== undefined) {
    if (command.noClobber) throw exists(target.path);
    if (target.existing.kind === 'directory') throw isADirectory(target.path);
    if (inode.kind === 'directory') throw notADirectory(target.path);
  }
  unlinkEntry(view, inode, context);
  return statResult(target.path, linkOver(view, target, inode, context));
}
