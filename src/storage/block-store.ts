/** @module Where a datanode keeps blocks: immutable byte strings named by their SHA-256. */
import { type Left, MIB } from '../common/bytes.ts';
import type { BlockHash } from '../common/hashing.ts';
import type { PieceMemory } from '../common/piece-memory.ts';
import type { BlockInfo, QuarantinedBlock, QuarantineNote } from './block-info.ts';

/** Says, without the namespace, what a block was part of, so that one can be rebuilt from datanodes. */
export interface BlockOrigin {
  readonly fileId: number;
  readonly pathHint: string;
  /** Which block of the file, from 0. */
  readonly position: number;
  /** What the writer says of its write; kept as it is, up to MAX_WRITE_NOTE_BYTES. Absent in blocks of earlier releases. */
  readonly write?: Uint8Array;
}

/** Beside it in a trailer, a path hint has 440 bytes at least. */
export const MAX_WRITE_NOTE_BYTES = 512;
/** Places that alike blocks are remembered by, beside the first. What was written alike more often is known by a backup only. */
export const MAX_FURTHER_ORIGINS = 64;

export interface NewBlock extends BlockInfo {
  readonly origin: BlockOrigin;
}

/** A block that is here whole; its bytes belong to the store from now on. */
export interface WholeNewBlock extends NewBlock {
  readonly data: Uint8Array;
}

/** Order: write()*, then commit() or abort(). Nothing is visible before commit() has resolved. */
export interface BlockWriter {
  /**
   * Resolves when more may be written (bounded memory). `bytes` belong to the store until `left`: they are kept without
   * a copy until they are on disk, so the caller must not change them.
   */
  write(bytes: Uint8Array, left?: Left): Promise<void>;
  /** Verifies size and SHA-256 (STORAGE_HASH_MISMATCH), makes data and directory entry durable, then visible. */
  commit(): Promise<void>;
  abort(): Promise<void>;
}

export interface StoreUsage {
  readonly capacityBytes: number;
  /** In service and in quarantine. */
  readonly usedBytes: number;
  readonly freeBytes: number;
  /** In service. */
  readonly blockCount: number;
  readonly quarantinedBytes: number;
  readonly quarantinedCount: number;
}

/** Read and handed over at once; a multiple of the 64 KiB that a CRC is of. */
export const CHUNK_BYTES: number = MIB;

/** Errors: STORAGE_NO_BLOCK, STORAGE_CORRUPT_BLOCK, STORAGE_HASH_MISMATCH, STORAGE_FULL, STORAGE_OUT_OF_HANDLES, STORAGE_FAILED. */
export interface BlockStore {
  /** A write has failed: nothing is changed any more until the store is opened anew, and what is read goes on being verified. */
  readonly isReadOnly: boolean;
  has(hash: BlockHash): boolean;
  info(hash: BlockHash): BlockInfo | undefined;
  create(block: NewBlock): Promise<BlockWriter>;
  /**
   * Stores blocks as create(), write() and commit() do, small ones with one fsync. A verdict for each, in their order: the
   * failure of one is nobody else's. Errors of them all, thrown: STORAGE_FULL, STORAGE_FAILED.
   */
  storeAll(blocks: readonly WholeNewBlock[]): Promise<readonly PromiseSettledResult<void>[]>;
  /**
   * Bytes [offset, offset + length) in chunks of at most CHUNK_BYTES; each 64 KiB verified by CRC32C before it is
   * yielded. A range is cut at the end of the block. A chunk may lie in `memory`, of pieces of CHUNK_BYTES: its takeBack() knows.
   */
  read(
    hash: BlockHash,
    range?: { readonly offset: number; readonly length: number },
    memory?: PieceMemory,
  ): AsyncIterable<Uint8Array>;
  origin(hash: BlockHash): Promise<BlockOrigin>;
  /** The origin it was written with first, then those that were added since. */
  origins(hash: BlockHash): Promise<readonly BlockOrigin[]>;
  /** What a quarantined copy says of itself, as far as it can be read; of a corrupt one that may be untrue. */
  quarantinedOrigins(hash: BlockHash): Promise<readonly BlockOrigin[]>;
  /** Adds a further origin to a block that is held already, durably, unless it has it, or MAX_FURTHER_ORIGINS of them. */
  describe(hash: BlockHash, origin: BlockOrigin): Promise<void>;
  /** Reads everything and compares the SHA-256; false when the copy is bad. */
  verify(hash: BlockHash): Promise<boolean>;
  /**
   * Takes a copy out of service: it is kept, but neither served nor listed until release(). `isStill` is asked at the very
   * moment when nothing can come in between; when it says false, nothing happens and the answer is false. A copy that was put
   * aside before is deleted, but for one that is whole where this one is corrupt: then it is this one. A corrupt copy is out of
   * service whatever becomes of this, also on a disk that takes no changes any more.
   */
  quarantine(hash: BlockHash, note: QuarantineNote, isStill?: () => boolean): Promise<boolean>;
  /** Brings a quarantined copy back into service, durably; false when there is none to bring back. A corrupt one never is. */
  release(hash: BlockHash): Promise<boolean>;
  /** Deletes a quarantined copy; false when there is none. Writing a block anew does so, too. */
  purge(hash: BlockHash): Promise<boolean>;
  /** Why and since when a block's copy is in quarantine, if it is. */
  quarantineOf(hash: BlockHash): QuarantinedBlock | undefined;
  /** Quarantined copies in hash order from `after` (exclusive), at most `limit`. */
  quarantined(after: BlockHash | undefined, limit: number): readonly QuarantinedBlock[];
  /** Deletes a copy that is in service, at once and for good. */
  remove(hash: BlockHash): Promise<void>;
  /** Gives room within files that deletions left back to the file system, a little a call. True while there is more. */
  reclaim(): Promise<boolean>;
  /** All blocks in hash order from `after` (exclusive), at most `limit`. */
  list(after: BlockHash | undefined, limit: number): readonly BlockInfo[];
  /** All hashes that begin with the hex digits `prefix`, in order. */
  below(prefix: string): readonly BlockHash[];
  /** Of all hashes that begin with three hex digits: how many, and all of them combined by exclusive or. Costs nothing. */
  combined(prefix: string): { readonly count: number; readonly hash: Uint8Array };
  usage(): Promise<StoreUsage>;
  close(): Promise<void>;
}
