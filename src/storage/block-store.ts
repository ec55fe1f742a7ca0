/** @module Where a datanode keeps blocks: immutable byte strings named by their SHA-256. */
import type { BlockHash } from '../common/hashing.ts';

/** Says, without the namespace, what a block was part of, so that one can be rebuilt from datanodes. */
export interface BlockOrigin {
  readonly fileId: number;
  readonly pathHint: string;
  /** Which block of the file, from 0. */
  readonly position: number;
}

export interface BlockInfo {
  readonly hash: BlockHash;
  readonly sizeBytes: number;
}

export interface NewBlock extends BlockInfo {
  readonly origin: BlockOrigin;
}

/** Order: write()*, then commit() or abort(). Nothing is visible before commit() has resolved. */
export interface BlockWriter {
  /**
   * Resolves when more may be written (bounded memory). `bytes` belong to the store from now on: they are kept without
   * a copy until they are on disk, so the caller must not change them.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Verifies size and SHA-256 (STORAGE_HASH_MISMATCH), makes data and directory entry durable, then visible. */
  commit(): Promise<void>;
  abort(): Promise<void>;
}

export interface StoreUsage {
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly blockCount: number;
}

/** Errors: STORAGE_NO_BLOCK, STORAGE_CORRUPT_BLOCK, STORAGE_HASH_MISMATCH, STORAGE_FULL, STORAGE_FAILED. */
export interface BlockStore {
  has(hash: BlockHash): boolean;
  info(hash: BlockHash): BlockInfo | undefined;
  create(block: NewBlock): Promise<BlockWriter>;
  /**
   * Bytes [offset, offset + length) in chunks of at most 1 MiB; each 64 KiB verified by CRC32C before it is
   * yielded. A range is cut at the end of the block.
   */
  read(
    hash: BlockHash,
    range?: { readonly offset: number; readonly length: number },
  ): AsyncIterable<Uint8Array>;
  origin(hash: BlockHash): Promise<BlockOrigin>;
  /** Reads everything and compares the SHA-256; false when the copy is bad. */
  verify(hash: BlockHash): Promise<boolean>;
  /** Takes a bad copy out of service (kept aside for inspection, never served or announced again). */
  quarantine(hash: BlockHash): Promise<void>;
  remove(hash: BlockHash): Promise<void>;
  /** All blocks in hash order from `after` (exclusive), at most `limit`. */
  list(after: BlockHash | undefined, limit: number): readonly BlockInfo[];
  usage(): Promise<StoreUsage>;
  close(): Promise<void>;
}
