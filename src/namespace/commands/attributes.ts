/** @module Sets owner, group, mode and modification time of what is there. */
import { checkAttributes } from '../attributes.ts';
import { findInode } from '../place.ts';
import { statResult } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { Inode, Result, SetAttributes } from '../schema.ts';
import { type ApplyContext, putInode } from '../tree.ts';

/** What is empty or absent in the command stays as it is. */
export function setAttributes(view: RowView, command: SetAttributes, context: ApplyContext): Result {
  const { owner, group, mode, mtimeMs } = command;
  checkAttributes({ owner, group, mode });
  const { path, inode } = findInode(view, command.path, command.noFollow ? 'keep' : 'follow');
  const changed: Inode = {
    ...inode,
    owner: owner || inode.owner,
    group: group || inode.group,
    mode: mode ?? inode.mode,
    mtimeMs: mtimeMs ?? inode.mtimeMs,
    ctimeMs: context.timeMs,
  };
  putInode(view, changed);
  return statResult(path, changed);
}
