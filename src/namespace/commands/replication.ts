/** @module Set-replication: of a file how many copies it has, of a directory how many new files below it get. */
import type { HoldfastError } from '../../common/errors.ts';
import { invalidArgument, isADirectory } from '../errors.ts';
import { hasLevel } from '../feature-level.ts';
import { MAX_REPLICATION } from '../limits.ts';
import { findInode } from '../place.ts';
import { replicate } from '../replication.ts';
import { statResult } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { Inode, Result, SetReplication } from '../schema.ts';
import { type ApplyContext, putInode } from '../tree.ts';

/** Directories from feature level 2 on, where 0 means as the parent says. The blocks of a large file follow by and by. */
export function setReplication(view: RowView, command: SetReplication, context: ApplyContext): Result {
  const { replication } = command;
  if (replication === 0 && !hasLevel(view, 2)) throw replicationOutOfRange(0);
  checkReplication(replication);
  const { path, inode } = findInode(view, command.path);
  if (inode.kind === 'directory') {
    if (!hasLevel(view, 2)) throw isADirectory(path);
  } else if (replication === 0) {
    throw replicationOutOfRange(0);
  }
  const wanted =
    inode.kind === 'directory'
      ? { ...inode, replication }
      : replicate(view, inode, replication, context.timeMs);
  const changed: Inode = { ...wanted, ctimeMs: context.timeMs };
  putInode(view, changed);
  return statResult(path, changed);
}

export function checkReplication(asked: number): void {
  if (asked > MAX_REPLICATION) throw replicationOutOfRange(asked);
}

function replicationOutOfRange(got: number): HoldfastError {
  return invalidArgument(`Replication is 1 to ${MAX_REPLICATION}.`, got === 0 ? {} : { got });
}
