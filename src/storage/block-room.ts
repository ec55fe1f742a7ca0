/** @module How much room a directory has for blocks, and the promises made on it that are not yet kept. */
import { MIB } from '../common/bytes.ts';
import type { BlockIndex } from './block-index.ts';
import type { StoreUsage } from './block-store.ts';
import { storageFull } from './errors.ts';
import type { Quarantine } from './quarantine.ts';

/** Left free on the disk that holds the blocks, so that log and namespace of the same disk can still be written. */
export const BLOCK_RESERVE_BYTES: number = 512 * MIB;

export interface RoomOptions {
  /** Bytes of the file system that blocks must leave free. */
  readonly reserveBytes: number;
  /** Bytes that blocks may take in all; without it the file system is the limit. */
  readonly capacityBytes?: number;
}

/** Everything that takes room. */
export interface HeldBlocks {
  readonly index: BlockIndex;
  readonly quarantine: Quarantine;
}

export interface BlockRoomComponents extends HeldBlocks {
  /** Of the file system, for whoever asks. */
  readonly freeBytes: () => Promise<number>;
}

export interface BlockRoomOptions extends RoomOptions {
  /** The directory, for messages. */
  readonly name: string;
}

/**
 * Promised without asking the file system anew, in bytes, but never more than its reserve: a question for each batch of small blocks
 * is a change of thread, as many as the batch itself takes. What others write meanwhile may so come out of the reserve, and of nothing
 * else (simulation seed 61672, rough).
 */
const UNASKED_BYTES: number = MIB;
/** With less room than this it is asked each time. */
const AMPLE_BYTES: number = 64 * MIB;

/** One block that is being written has its size promised from create() to commit() or abort(). */
export class BlockRoom {
  readonly #components: BlockRoomComponents;
  readonly #options: BlockRoomOptions;
  #promisedBytes = 0;
  /** What may still be promised without a question. */
  #unaskedBytes = 0;

  constructor(components: BlockRoomComponents, options: BlockRoomOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Throws STORAGE_FULL when `sizeBytes` do not fit beside everything promised so far. */
  async promise(sizeBytes: number): Promise<void> {
    // Promised before the question, so that two at once cannot both get the last room.
    this.#promisedBytes += sizeBytes;
    this.#unaskedBytes -= sizeBytes;
    if (this.#unaskedBytes >= 0) return;
    try {
      const leftBytes = await this.#leftBytes();
      const { reserveBytes } = this.#options;
      this.#unaskedBytes = leftBytes >= AMPLE_BYTES ? Math.min(UNASKED_BYTES, reserveBytes) : 0;
      if (leftBytes < 0) throw storageFull(this.#options.name, sizeBytes, Math.max(0, leftBytes + sizeBytes));
    } catch (error) {
      this.release(sizeBytes);
      throw error;
    }
  }

  release(sizeBytes: number): void {
    this.#promisedBytes -= sizeBytes;
  }

  async usage(): Promise<StoreUsage> {
    const { index, quarantine } = this.#components;
    const usedBytes = this.#takenBytes();
    const freeBytes = Math.max(0, await this.#leftBytes());
    const capacityBytes = this.#options.capacityBytes ?? usedBytes + this.#promisedBytes + freeBytes;
    return {
      capacityBytes,
      usedBytes,
      freeBytes,
      blockCount: index.count,
      quarantinedBytes: quarantine.totalBytes,
      quarantinedCount: quarantine.count,
    };
  }

  #takenBytes(): number {
    return this.#components.index.totalBytes + this.#components.quarantine.totalBytes;
  }

  /** Negative when more is promised than there is. */
  async #leftBytes(): Promise<number> {
    const onDisk = (await this.#components.freeBytes()) - this.#options.reserveBytes;
    const { capacityBytes } = this.#options;
    const allowed =
      capacityBytes === undefined ? onDisk : Math.min(onDisk, capacityBytes - this.#takenBytes());
    return Math.floor(allowed - this.#promisedBytes);
  }
}
