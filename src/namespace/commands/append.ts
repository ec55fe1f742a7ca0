/**
 * @module Append: what is appended gathers under an inode of its own and becomes the file's end in one step.
 *
 * One at a time may append to a file; the inode it gathers under holds the lease, so that whatever ends the lease frees
 * what was gathered. Blocks never change, so a last block that is not full stays short, or is replaced by one that holds
 * its bytes and more: the writer chooses (append-plan.ts in the client), and the file keeps at most MAX_TAIL_BLOCKS.
 */
import { contentGone, appendLeaseHeld, invalidArgument, isADirectory, notFound } from '../errors.ts';
import { numberKey } from '../keys.ts';
import { findPlace } from '../place.ts';
import { grantResult, statResult, toStat } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { CloseAppend, Inode, OpenAppend, Result } from '../schema.ts';
import { replaceTail } from '../tail-blocks.ts';
import { type ApplyContext, inodeOf, newInode, nextVersion, pathOf, putInode } from '../tree.ts';
import { checkTarget } from './files.ts';
import { checkLease, dropLease, endLease, grantLease } from './leases.ts';

/** Throws NAMESPACE_LEASE_HELD while somebody else appends, NAMESPACE_VERSION_MISMATCH, and as finding the file does. */
export function openAppend(
  view: RowView,
  command: OpenAppend,
  context: ApplyContext,
  session: string,
): Result {
  const place = findPlace(view, command.path);
  const file = place.existing;
  if (file === undefined) throw notFound(place.path);
  if (file.kind === 'directory') throw isADirectory(place.path);
  checkTarget(place, command.precondition);
  takeOver(view, file, place.path, context);

  const { blockSizeBytes, replication, id: appendTo } = file;
  const gathering: Inode = {
    ...newInode(view, 'file', context),
    blockSizeBytes,
    replication,
    open: true,
    appendTo,
  };
  putInode(view, gathering);
  putInode(view, { ...file, appendInode: gathering.id });
  const lease = grantLease(view, gathering.id, place.path, session, command.leaseMs, context);
  return grantResult(gathering, lease, toStat(place.path, file));
}

/**
 * Nothing happens when nothing was gathered. Throws NAMESPACE_NOT_FOUND when the file was removed or replaced meanwhile,
 * NAMESPACE_INVALID_ARGUMENT for blocks that do not fit together; the lease then stays, to be abandoned.
 */
export function closeAppend(view: RowView, command: CloseAppend, context: ApplyContext): Result {
  const lease = checkLease(view, command, context);
  const gathering = inodeOf(view, command.inode);
  if (gathering.appendTo === 0)
    throw invalidArgument('The lease is not one for appending; close the file instead.', {
      inode: gathering.id,
    });
  const file = view.get('inode', numberKey(gathering.appendTo));
  const path = file === undefined ? undefined : pathOf(view, file);
  if (file === undefined || path === undefined) throw contentGone(gathering.appendTo);

  const appended = replaceTail(view, file, gathering, command.keepBlocks, context.timeMs);
  endLease(view, lease);
  view.remove('inode', numberKey(gathering.id));
  view.counters.logicalBytes += appended.sizeBytes - file.sizeBytes;
  const isChanged = gathering.blockCount > 0;
  const closed: Inode = {
    ...appended,
    appendInode: 0,
    version: isChanged ? nextVersion(view) : file.version,
    mtimeMs: isChanged ? command.mtimeMs || context.timeMs : file.mtimeMs,
    ctimeMs: isChanged ? context.timeMs : file.ctimeMs,
  };
  putInode(view, closed);
  return statResult(path, closed);
}

/** Somebody whose lease ran out loses it now, even when Housekeeping has not come by yet. */
function takeOver(view: RowView, file: Inode, path: string, context: ApplyContext): void {
  if (file.appendInode === 0) return;
  const lease = view.get('lease', numberKey(file.appendInode));
  if (lease === undefined) return;
  if (lease.expiresMs > context.timeMs) throw appendLeaseHeld(path, lease.expiresMs);
  dropLease(view, lease);
}
