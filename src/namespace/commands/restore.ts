/** @module Puts back what a lost namespace had, as it was: content, times and version are the caller's to say. */
import { withAttributes } from '../attributes.ts';
import { addBlocks, checkBlocks, hintBlocks } from '../block-references.ts';
import { currentEra, isRecovering } from '../collection.ts';
import { invalidArgument, recoveryNotOpen } from '../errors.ts';
import {
  MAX_BLOCK_SIZE_BYTES,
  MAX_REPLICATION,
  MAX_TAIL_BLOCKS,
  MIN_BLOCK_SIZE_BYTES,
  ROOT_INODE,
} from '../limits.ts';
import { splitPath } from '../path.ts';
import { findPlace, inheritedReplication, linkOver, type Place } from '../place.ts';
import { statResult } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { BlockRef, Inode, RestoreEntry, Result } from '../schema.ts';
import { blocksFrom } from '../tail-blocks.ts';
import { type ApplyContext, inodeOf, newInode, nextVersion, putInode } from '../tree.ts';
import { makeDirectories } from './directories.ts';
import { checkTarget } from './files.ts';
import { checkLease, endLease } from './leases.ts';
import { checkLinkTarget } from './symlinks.ts';

/**
 * Directories on the way are made when missing. A directory that is there gets the attributes and times of the command.
 * Refuses with NAMESPACE_RECOVERY_NOT_OPEN, _EXISTS and _VERSION_MISMATCH as `precondition` says, _IS_A_DIRECTORY,
 * _NOT_A_DIRECTORY, and _INVALID_ARGUMENT for content that is not what `sizeBytes` says.
 */
export function restoreEntry(view: RowView, command: RestoreEntry, context: ApplyContext): Result {
  if (!isRecovering(view.cluster)) throw recoveryNotOpen();
  if (command.replication > MAX_REPLICATION)
    throw invalidArgument(`Replication is 1 to ${MAX_REPLICATION}.`, { got: command.replication });
  const names = splitPath(command.path);
  if (command.kind === 'directory') return restoreDirectory(view, names, command, context);
  hintBlocks(view, command.blocks);
  makeDirectories(view, names.slice(0, -1), undefined, context);
  const place = findPlace(view, command.path, 'keep');
  checkTarget(place, command.precondition);
  switch (command.kind) {
    case 'file':
      return restoreFile(view, place, command, context);
    case 'symlink':
      return restoreLink(view, place, command, context);
    default:
      throw invalidArgument(`"${command.kind}" is no kind of entry.`, { got: command.kind });
  }
}

function restoreDirectory(
  view: RowView,
  names: readonly string[],
  command: RestoreEntry,
  context: ApplyContext,
): Result {
  const { path, inode } =
    names.length === 0
      ? { path: '/', inode: inodeOf(view, ROOT_INODE) }
      : makeDirectories(view, names, undefined, context);
  const { replication } = command;
  const restored = withAttributes(view, { ...inode, replication }, command.attributes);
  return statResult(path, dated(view, restored, command, context));
}

function restoreFile(view: RowView, place: Place, command: RestoreEntry, context: ApplyContext): Result {
  const gathered = command.inode !== 0;
  const content = gathered ? takeGathered(view, command, context) : newContent(view, place, command, context);
  if (content.sizeBytes !== command.sizeBytes)
    throw invalidArgument('The blocks of a file add up to its size.', {
      wanted: command.sizeBytes,
      got: content.sizeBytes,
    });
  const tailBlocks = countTail(view, content);
  const file = withAttributes(view, { ...content, tailBlocks }, command.attributes);
  const linked = linkOver(view, place, file, context);
  return statResult(place.path, dated(view, linked, command, context));
}

function newContent(view: RowView, place: Place, command: RestoreEntry, context: ApplyContext): Inode {
  const { blockSizeBytes, blocks } = command;
  if (blockSizeBytes < MIN_BLOCK_SIZE_BYTES || blockSizeBytes > MAX_BLOCK_SIZE_BYTES)
    throw invalidArgument(`Block sizes are ${MIN_BLOCK_SIZE_BYTES} to ${MAX_BLOCK_SIZE_BYTES} bytes.`, {
      got: blockSizeBytes,
    });
  checkBlocks(blocks, blockSizeBytes);
  const replication = command.replication || inheritedReplication(view, place.ancestors);
  const fresh: Inode = { ...newInode(view, 'file', context), blockSizeBytes, replication, open: true };
  // Nothing is collected while a recovery is open, so these may be as old as they are.
  return addBlocks(view, fresh, blocks, currentEra(view.cluster));
}

function takeGathered(view: RowView, command: RestoreEntry, context: ApplyContext): Inode {
  const lease = checkLease(view, command, context);
  const inode = inodeOf(view, command.inode);
  if (inode.appendTo !== 0)
    throw invalidArgument('What is appended is closed by closeAppend.', { inode: inode.id });
  endLease(view, lease);
  return inode;
}

/** Ranges are found by full blocks coming first and short ones after them; 0 for one short block, as everywhere. */
function countTail(view: RowView, file: Inode): number {
  const end: BlockRef[] = blocksFrom(view, file, file.blockCount - MAX_TAIL_BLOCKS - 1);
  const tail = end.slice(end.findLastIndex(({ sizeBytes }) => sizeBytes === file.blockSizeBytes) + 1);
  const tailBytes = tail.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const fullBytes = (file.blockCount - tail.length) * file.blockSizeBytes;
  if (tail.length > MAX_TAIL_BLOCKS || fullBytes + tailBytes !== file.sizeBytes)
    throw invalidArgument(
      `A file is blocks of its block size and then at most ${MAX_TAIL_BLOCKS} shorter ones.`,
      { tail: tail.length },
    );
  return tail.length > 1 ? tail.length : 0;
}

function restoreLink(view: RowView, place: Place, command: RestoreEntry, context: ApplyContext): Result {
  checkLinkTarget(command.linkTarget);
  const fresh = { ...newInode(view, 'symlink', context), linkTarget: command.linkTarget };
  const linked = linkOver(view, place, withAttributes(view, fresh, command.attributes), context);
  return statResult(place.path, dated(view, linked, command, context));
}

/** With the times and the version of old, which linking replaces by those of now. */
function dated(view: RowView, inode: Inode, command: RestoreEntry, context: ApplyContext): Inode {
  const { mtimeMs, ctimeMs, version } = command;
  const restored: Inode = {
    ...inode,
    mtimeMs: mtimeMs || context.timeMs,
    ctimeMs: ctimeMs || context.timeMs,
    version: version || nextVersion(view),
  };
  putInode(view, restored);
  return restored;
}
