/** @module Every error of the stores, and the latch that keeps a store shut after a failed write. */
import { describeError, HoldfastError } from '../common/errors.ts';
import type { BlockHash } from '../common/hashing.ts';
import type { LogStanding } from './log-mark.ts';

/** The disk did not do as told; what it holds now is uncertain, so the store must be opened anew. */
export function storageFailed(action: string, path: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_FAILED',
    kind: 'broken',
    message: `Could not ${action} at ${path}: ${describeError(cause)}. Check the disk and its free space, then restart the node.`,
    facts: { action, path },
    cause,
  });
}

export function storageFull(path: string, wantedBytes: number, freeBytes: number): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_FULL',
    kind: 'unavailable',
    message: `No room for ${wantedBytes} bytes in ${path}: ${freeBytes} bytes are free for blocks. Choose another node, or free space here.`,
    facts: { path, wantedBytes, freeBytes },
  });
}

/** Of a file whose pages can be done without. */
export function corruptPage(path: string, page: number): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_CORRUPT_PAGE',
    kind: 'broken',
    message: `Page ${page} of ${path} is not what was written there. What it held is made anew; look at the disk.`,
    facts: { path, page },
  });
}

/** Nothing is wrong with the disk, and nothing of what it holds is in doubt. */
export function outOfHandles(action: string, path: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_OUT_OF_HANDLES',
    kind: 'unavailable',
    message: `Could not ${action} at ${path}: too many files are open (${describeError(cause)}). Use another node, or try again; raise the limit of open files (ulimit -n) if it happens often.`,
    facts: { action, path },
    cause,
  });
}

export function storageClosed(path: string): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_CLOSED',
    kind: 'refused',
    message: `The store at ${path} has been closed. Open it again before using it.`,
    facts: { path },
  });
}

export function storageBusy(path: string, waiting: number): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_BUSY',
    kind: 'unavailable',
    message: `${waiting} writes already wait for the disk at ${path}. Nothing was written; try again later.`,
    facts: { path, waiting },
  });
}

/** SQLite did not accept a durability setting: acknowledged writes could be lost with the power. */
export function notDurable(path: string, setting: string, got: string): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_NOT_DURABLE',
    kind: 'broken',
    message: `SQLite at ${path} refuses ${setting} (it says ${got}). Put the data directory on a local file system that supports it.`,
    facts: { path, setting, got },
  });
}

/** The file was written by another version of the software, or is not ours at all. */
export function wrongFormat(path: string, wanted: number, got: number): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_WRONG_FORMAT',
    kind: 'refused',
    message: `${path} has format ${got}, this version reads format ${wanted}. Start the version that wrote it, or use another directory.`,
    facts: { path, wanted, got },
  });
}

/** A snapshot file that is to replace the rows is damaged; the old rows are untouched. */
export function corruptImport(path: string, found: string): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_CORRUPT_IMPORT',
    kind: 'broken',
    message: `The copy of the tables at ${path} is damaged (${found}). Nothing was replaced; fetch the snapshot again.`,
    facts: { path, found },
  });
}

/** The rows cannot be read. What they held is in the log, or with other metadata nodes. */
export function corruptRows(action: string, path: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_CORRUPT_ROWS',
    kind: 'broken',
    message: `Could not ${action}: ${path} is damaged (${describeError(cause)}). Look at the disk, then start the node again: it sets the file aside and has the namespace made anew from its log, or from the other metadata nodes.`,
    facts: { path },
    cause,
  });
}

/** What a node whose log is refused does, and what is left to do where it cannot. */
const REJOIN_OR_RECOVER =
  'This node must not vote with it. "holdfast node start" brings the node back under a new number while a majority of the other metadata nodes runs; without one, see "holdfast cluster recover".';

/** A checksum, a gap, no database at all. */
export function corruptLog(path: string, found: string): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_CORRUPT_LOG',
    kind: 'broken',
    message: `The Raft log at ${path} is damaged: ${found}. ${REJOIN_OR_RECOVER}`,
    facts: { path, found },
  });
}

/** Whole in itself, but it ends before what this node has acknowledged. */
export function logBehind(path: string, found: LogStanding, marked: LogStanding): HoldfastError {
  const lost =
    found.lastIndex < marked.lastIndex
      ? `it ends at entry ${found.lastIndex}, but entries up to ${marked.lastIndex} were acknowledged`
      : `its last ${marked.sequence - found.sequence} writes are missing, votes or entries that were acknowledged`;
  return new HoldfastError({
    code: 'STORAGE_LOG_BEHIND',
    kind: 'broken',
    message: `The Raft log at ${path} has lost its end: ${lost}. ${REJOIN_OR_RECOVER}`,
    facts: {
      path,
      lastIndex: found.lastIndex,
      lastTerm: found.lastTerm,
      acknowledgedIndex: marked.lastIndex,
      acknowledgedTerm: marked.lastTerm,
      missingWrites: marked.sequence - found.sequence,
    },
  });
}

/** The node has been a metadata node before, and its log is gone. */
export function lostLog(path: string): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_LOST_LOG',
    kind: 'broken',
    message: `There is no Raft log at ${path}, though this node has had one: it may have voted and acknowledged what it cannot know any more. ${REJOIN_OR_RECOVER}`,
    facts: { path },
  });
}

/** The log is there, but nothing says whether all of it is. */
export function lostMarker(path: string): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_LOST_MARKER',
    kind: 'broken',
    message: `The marker of the Raft log at ${path} is gone: whether the log still has everything that was acknowledged cannot be told. ${REJOIN_OR_RECOVER}`,
    facts: { path },
  });
}

export function corruptMarker(path: string): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_CORRUPT_LOG',
    kind: 'broken',
    message: `The marker of the Raft log, ${path}, is damaged in both of its places: whether the log still has everything that was acknowledged cannot be told. ${REJOIN_OR_RECOVER}`,
    facts: { path, found: 'both marks have a bad checksum' },
  });
}

export function logNotEmpty(path: string): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_LOG_NOT_EMPTY',
    kind: 'refused',
    message: `The Raft log at ${path} already has a history, so no new cluster was started in it. Use an empty directory.`,
    facts: { path },
  });
}

export function noBlock(hash: BlockHash): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_NO_BLOCK',
    kind: 'refused',
    message: `No block ${hash} is stored here. Look up its holders again.`,
    facts: { hash },
  });
}

export function corruptBlock(hash: BlockHash, found: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_CORRUPT_BLOCK',
    kind: 'broken',
    message: `The copy of block ${hash} stored here is damaged (${found}). Read another copy, and quarantine this one.`,
    facts: { hash, found },
    cause,
  });
}

/** Which small blocks are here cannot be told. */
export function corruptPacked(path: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_CORRUPT_PACKED',
    kind: 'broken',
    message: `The small blocks in ${path} cannot be listed: the file is damaged (${describeError(cause)}). Nothing was changed. Look at the disk; where other datanodes have copies, move that file and those beside it that begin with its name away and start again: the large blocks stay, and the small ones are copied here anew.`,
    facts: { path },
    cause,
  });
}

export function hashMismatch(hash: BlockHash, wanted: string, got: string): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_HASH_MISMATCH',
    kind: 'refused',
    message: `What was written as block ${hash} is not that block: wanted ${wanted}, got ${got}. Nothing was kept; send the block again.`,
    facts: { hash, wanted, got },
  });
}

/** The writer was committed, aborted, has failed, or its store was closed. */
export function writerEnded(hash: BlockHash): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_WRITER_ENDED',
    kind: 'refused',
    message: `The writer of block ${hash} has ended and takes no more. Create a new one to write the block again.`,
    facts: { hash },
  });
}

/** Remembers the first failed write, and refuses everything after it with that same error. */
export class FailureLatch {
  #failure: HoldfastError | undefined;

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Throws what was latched, STORAGE_FAILED as a rule. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Latches, unless latched already, and returns the error to throw. */
  fail(action: string, path: string, cause: unknown): HoldfastError {
    return this.latch(storageFailed(action, path, cause));
  }

  /** As fail(), with the error to throw from now on. */
  latch(failure: HoldfastError): HoldfastError {
    this.#failure ??= failure;
    return this.#failure;
  }
}
