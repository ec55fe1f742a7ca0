/** @module One of the two places of a block store: files for large blocks, packed rows for small ones. */
import { KIB, type Left } from '../common/bytes.ts';
import type { PieceMemory } from '../common/piece-memory.ts';
import type { BlockOrigin, NewBlock } from './block-store.ts';
import type { BlockInfo, QuarantinedBlock } from './block-info.ts';

/** Blocks up to this size are packed, larger ones have a file of their own. */
export const MAX_PACKED_BYTES: number = 64 * KIB;

/** Receives one block. Order: write()*, finish(), publish(); or discard() at any time before publish(). */
export interface ShelfWriter {
  write(bytes: Uint8Array, left?: Left): Promise<void>;
  /** All bytes are written and verified. Makes as much durable as can be without making the block visible. */
  finish(crcs: readonly number[]): Promise<void>;
  /** Durable under its name once resolved. */
  publish(): Promise<void>;
  /** Drops what is not published; nothing remains, also after a failure of the others. */
  discard(): Promise<void>;
}

/**
 * Knows nothing of who may read what: the store has the index, the limits, and sees to it that publish, quarantine and
 * remove of one block exclude each other. Errors of the system and of SQLite come through as they are, damage as
 * STORAGE_CORRUPT_BLOCK.
 */
export interface BlockShelf {
  begin(block: NewBlock): Promise<ShelfWriter>;
  /** Bytes [from, to), verified, in chunks of at most 1 MiB. */
  read(block: BlockInfo, from: number, to: number, memory?: PieceMemory): AsyncIterable<Uint8Array>;
  origin(block: BlockInfo): Promise<BlockOrigin>;
  /** As far as it can be read; of a corrupt block it may be untrue. */
  quarantinedOrigin(block: QuarantinedBlock): Promise<BlockOrigin>;
  /** Puts the block aside, as bad as it may be; false when there is nothing left of it. Not durable: a crash may undo it. */
  quarantine(block: QuarantinedBlock): Promise<boolean>;
  /** Puts a quarantined block back, durably. */
  release(block: QuarantinedBlock): Promise<void>;
  /** Deletes a quarantined block. Not durable. */
  purge(block: QuarantinedBlock): Promise<void>;
  remove(block: BlockInfo): Promise<void>;
  /** Gives room that deletions left within a file back to the file system, a little a call. True while there is more. */
  reclaim(): Promise<boolean>;
}
