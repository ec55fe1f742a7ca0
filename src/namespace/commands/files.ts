/** @module Commands on files: create, append, close, touch. */
import { keepAttributes, withAttributes } from '../attributes.ts';
import { addBlocks, checkBlocks, hintBlocks } from '../block-references.ts';
import { exists, invalidArgument, isADirectory, notFound, versionMismatch } from '../errors.ts';
import { DEFAULT_BLOCK_SIZE_BYTES, MAX_BLOCK_SIZE_BYTES, MIN_BLOCK_SIZE_BYTES } from '../limits.ts';
import { splitPath } from '../path.ts';
import { findInode, findPlace, inheritedReplication, linkOver, type Place } from '../place.ts';
import { hasLevel } from '../feature-level.ts';
import { grantResult, statResult } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type {
  AppendBlocks,
  Attributes,
  CloseFile,
  CreateFile,
  Inode,
  Precondition,
  Result,
  Touch,
} from '../schema.ts';
import { type ApplyContext, inodeOf, newInode, nextVersion, putInode } from '../tree.ts';
import { makeDirectories } from './directories.ts';
import { checkLease, endLease, extendLease, grantLease } from './leases.ts';
import { checkReplication } from './replication.ts';

/** A fresh file that nobody sees until it is closed; with `complete` it is linked in the same breath. */
export function createFile(
  view: RowView,
  command: CreateFile,
  context: ApplyContext,
  session: string,
): Result {
  const { attributes, precondition } = command;
  const blockSizeBytes = chooseBlockSize(view, command.blockSizeBytes);
  checkReplication(command.replication);
  checkBlocks(command.blocks, blockSizeBytes);
  if (!command.complete && command.blocks.length > 0)
    throw invalidArgument('Only a complete file is created with blocks; append them instead.');
  hintBlocks(view, command.blocks);
  if (command.parents)
    makeDirectories(view, splitPath(command.path).slice(0, -1), parentsAttributes(attributes), context);
  // A link that leads nowhere is something that exists: who wants to be the first must not write through it.
  const place = findPlace(view, command.path, precondition?.ifAbsent ? 'keep' : 'follow');
  checkTarget(place, precondition);

  const replication = command.replication || inheritedReplication(view, place.ancestors);
  const fresh: Inode = { ...newInode(view, 'file', context), blockSizeBytes, replication, open: true };
  const inode = withAttributes(view, fresh, attributes);
  if (!command.complete) {
    putInode(view, inode);
    return grantResult(inode, grantLease(view, inode.id, place.path, session, command.leaseMs, context));
  }
  const dated = { ...inode, mtimeMs: command.mtimeMs || context.timeMs };
  const written = addBlocks(view, dated, command.blocks, command.writtenEra ?? 0);
  return statResult(place.path, putFile(view, place, written, context));
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
    ...addBlocks(view, inode, command.blocks, command.writtenEra ?? 0),
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
  const inode = inodeOf(view, command.inode);
  if (inode.appendTo !== 0)
    throw invalidArgument('What is appended is closed by closeAppend.', { inode: inode.id });
  const place = findPlace(view, lease.path, command.precondition?.ifAbsent ? 'keep' : 'follow');
  checkTarget(place, command.precondition);
  endLease(view, lease);
  const written: Inode = { ...inode, mtimeMs: command.mtimeMs || context.timeMs };
  return statResult(place.path, putFile(view, place, written, context));
}

/** Sets the modification time (0: now) of what is there; creates an empty file where there is nothing. */
export function touch(view: RowView, command: Touch, context: ApplyContext): Result {
  const mtimeMs = command.mtimeMs || context.timeMs;
  const isRoot = splitPath(command.path).length === 0;
  const place = isRoot ? undefined : findPlace(view, command.path);
  const there = isRoot ? findInode(view, '/').inode : place?.existing;
  if (place === undefined || there !== undefined) {
    const touched: Inode = { ...(there as Inode), mtimeMs, ctimeMs: context.timeMs };
    putInode(view, touched);
    return statResult(place?.path ?? '/', touched);
  }
  const blockSizeBytes = chooseBlockSize(view, 0);
  const replication = inheritedReplication(view, place.ancestors);
  const inode: Inode = { ...newInode(view, 'file', context), blockSizeBytes, replication, mtimeMs };
  const owned = withAttributes(view, inode, command.attributes);
  return statResult(place.path, linkOver(view, place, owned, context));
}

/** Links what was written; a file it replaces hands its owner and mode on. */
export function putFile(view: RowView, place: Place, written: Inode, context: ApplyContext): Inode {
  const kept = hasLevel(view, 2) ? keepAttributes(place.existing, written) : written;
  return linkOver(view, place, kept, context);
}

/** Directories made on the way belong to the same owner; the mode is the file's alone. */
function parentsAttributes(attributes: Attributes | undefined): Attributes | undefined {
  return attributes && { ...attributes, mode: undefined };
}

/** Refuses a place that cannot take a file: a directory stands there, or the precondition does not hold. */
export function checkTarget(place: Place, precondition: Precondition | undefined): void {
  const { existing, path } = place;
  if (precondition?.ifAbsent && existing !== undefined) throw exists(path);
  if (existing?.kind === 'directory') throw isADirectory(path);
  const wanted = precondition?.ifVersion ?? 0;
  if (wanted === 0) return;
  if (existing === undefined) throw notFound(path);
  if (existing.version !== wanted) throw versionMismatch(path, wanted, existing.version);
}

function chooseBlockSize(view: RowView, asked: number): number {
  const sizeBytes = asked || view.cluster?.defaultBlockSizeBytes || DEFAULT_BLOCK_SIZE_BYTES;
  if (sizeBytes >= MIN_BLOCK_SIZE_BYTES && sizeBytes <= MAX_BLOCK_SIZE_BYTES) return sizeBytes;
  throw invalidArgument(`Block sizes are ${MIN_BLOCK_SIZE_BYTES} to ${MAX_BLOCK_SIZE_BYTES} bytes.`, {
    got: asked,
  });
}
