/** @module Commands on files: create, append, close, copy, touch, set replication. */
import { addBlocks, checkBlocks, hintBlocks, replicateBlocks, shareBlocks } from '../block-references.ts';
import { exists, invalidArgument, isADirectory, notFound, versionMismatch } from '../errors.ts';
import {
  DEFAULT_BLOCK_SIZE_BYTES,
  DEFAULT_REPLICATION,
  MAX_BLOCK_SIZE_BYTES,
  MAX_REPLICATION,
  MIN_BLOCK_SIZE_BYTES,
} from '../limits.ts';
import { joinPath, splitPath } from '../path.ts';
import { grantResult, statResult } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type {
  AppendBlocks,
  CloseFile,
  CopyFile,
  CreateFile,
  Inode,
  Precondition,
  Result,
  SetReplication,
  Touch,
} from '../schema.ts';
import {
  type ApplyContext,
  findInode,
  findPlace,
  inodeOf,
  linkOver,
  newInode,
  nextVersion,
  type Place,
  putInode,
} from '../tree.ts';
import { makeDirectories } from './directories.ts';
import { checkLease, endLease, extendLease, grantLease } from './leases.ts';

/** A fresh file that nobody sees until it is closed; with `complete` it is linked in the same breath. */
export function createFile(
  view: RowView,
  command: CreateFile,
  context: ApplyContext,
  session: string,
): Result {
  const blockSizeBytes = chooseBlockSize(view, command.blockSizeBytes);
  const replication = chooseReplication(view, command.replication);
  checkBlocks(command.blocks, blockSizeBytes);
  if (!command.complete && command.blocks.length > 0)
    throw invalidArgument('Only a complete file is created with blocks; append them instead.');
  hintBlocks(view, command.blocks);
  if (command.parents) makeDirectories(view, splitPath(command.path).slice(0, -1), context);
  const place = findPlace(view, command.path);
  checkTarget(place, command.precondition);

  const inode: Inode = { ...newInode(view, 'file', context), blockSizeBytes, replication, open: true };
  if (!command.complete) {
    putInode(view, inode);
    return grantResult(inode, grantLease(view, inode.id, place.path, session, command.leaseMs, context));
  }
  const written = addBlocks(view, { ...inode, mtimeMs: command.mtimeMs || context.timeMs }, command.blocks);
  return statResult(place.path, linkOver(view, place, written, context));
}

/** Appends under a lease and renews it. Refuses blocks that do not start where the file ends (NAMESPACE_INVALID_ARGUMENT). */
export function appendBlocks(view: RowView, command: AppendBlocks, context: ApplyContext): Result {
  hintBlocks(view, command.blocks);
  const lease = checkLease(view, command, context);
  const inode = inodeOf(view, command.inode);
  checkBlocks(command.blocks, inode.blockSizeBytes);
  if (command.firstBlock !== inode.blockCount)
    throw invalidArgument(`The file has ${inode.blockCount} blocks; append the next ones after these.`, {
      wanted: inode.blockCount,
      got: command.firstBlock,
    });
  const written: Inode = {
    ...addBlocks(view, inode, command.blocks),
    mtimeMs: context.timeMs,
    version: nextVersion(view),
  };
  putInode(view, written);
  return grantResult(written, extendLease(view, lease, context));
}

/**
 * Links the written file where it was created for, atomically replacing a file there: of several writers the last to
 * close wins whole. When refused, the lease stays, so that the writer can abandon or try elsewhere.
 */
export function closeFile(view: RowView, command: CloseFile, context: ApplyContext): Result {
  const lease = checkLease(view, command, context);
  const place = findPlace(view, lease.path);
  checkTarget(place, command.precondition);
  endLease(view, lease);
  const written: Inode = { ...inodeOf(view, command.inode), mtimeMs: command.mtimeMs || context.timeMs };
  return statResult(place.path, linkOver(view, place, written, context));
}

/** A copy by reference: blocks never change, so only the namespace does. */
export function copyFile(view: RowView, command: CopyFile, context: ApplyContext): Result {
  const names = splitPath(command.from);
  const source = findInode(view, names);
  if (source.kind === 'directory') throw isADirectory(joinPath(names));
  const place = findPlace(view, command.to);
  if (place.existing?.id === source.id)
    throw invalidArgument(`${place.path} cannot be copied onto itself.`, { path: place.path });
  checkTarget(place, { ifAbsent: command.noClobber, ifVersion: 0 });
  const { replication, blockSizeBytes } = source;
  const copy = shareBlocks(view, source, {
    ...newInode(view, 'file', context),
    replication,
    blockSizeBytes,
  });
  return statResult(place.path, linkOver(view, place, copy, context));
}

/** Sets the modification time (0: now) of what is there; creates an empty file where there is nothing. */
export function touch(view: RowView, command: Touch, context: ApplyContext): Result {
  const names = splitPath(command.path);
  const path = joinPath(names);
  const mtimeMs = command.mtimeMs || context.timeMs;
  const place = names.length === 0 ? undefined : findPlace(view, command.path);
  if (place === undefined || place.existing !== undefined) {
    const touched: Inode = { ...(place?.existing ?? findInode(view, [])), mtimeMs, ctimeMs: context.timeMs };
    putInode(view, touched);
    return statResult(path, touched);
  }
  const blockSizeBytes = chooseBlockSize(view, 0);
  const replication = chooseReplication(view, 0);
  const inode: Inode = { ...newInode(view, 'file', context), blockSizeBytes, replication, mtimeMs };
  return statResult(path, linkOver(view, place, inode, context));
}

export function setReplication(view: RowView, command: SetReplication, context: ApplyContext): Result {
  if (command.replication === 0) throw invalidArgument(`Replication is 1 to ${MAX_REPLICATION}.`);
  const replication = chooseReplication(view, command.replication);
  const names = splitPath(command.path);
  const inode = findInode(view, names);
  if (inode.kind === 'directory') throw isADirectory(joinPath(names));
  replicateBlocks(view, inode, replication);
  const changed: Inode = { ...inode, replication, ctimeMs: context.timeMs };
  putInode(view, changed);
  return statResult(joinPath(names), changed);
}

/** Refuses a place that cannot take a file: a directory stands there, or the precondition does not hold. */
function checkTarget(place: Place, precondition: Precondition | undefined): void {
  const { existing, path } = place;
  if (precondition?.ifAbsent && existing !== undefined) throw exists(path);
  if (existing?.kind === 'directory') throw isADirectory(path);
  const wanted = precondition?.ifVersion ?? 0;
  if (wanted === 0) return;
  if (existing === undefined) throw notFound(path);
  if (existing.version !== wanted) throw versionMismatch(path, wanted, existing.version);
}

function chooseReplication(view: RowView, asked: number): number {
  const replication = asked || view.cluster?.defaultReplication || DEFAULT_REPLICATION;
  if (replication <= MAX_REPLICATION) return replication;
  throw invalidArgument(`Replication is 1 to ${MAX_REPLICATION}.`, { got: asked });
}

function chooseBlockSize(view: RowView, asked: number): number {
  const sizeBytes = asked || view.cluster?.defaultBlockSizeBytes || DEFAULT_BLOCK_SIZE_BYTES;
  if (sizeBytes >= MIN_BLOCK_SIZE_BYTES && sizeBytes <= MAX_BLOCK_SIZE_BYTES) return sizeBytes;
  throw invalidArgument(`Block sizes are ${MIN_BLOCK_SIZE_BYTES} to ${MAX_BLOCK_SIZE_BYTES} bytes.`, {
    got: asked,
  });
}
