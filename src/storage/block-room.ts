/** @module How much room a directory has for blocks, and the promises made on it that are not yet kept. */
import { statfs } from 'node:fs/promises';
import type { BlockIndex } from './block-index.ts';
import type { StoreUsage } from './block-store.ts';
import { storageFull } from './errors.ts';

export interface RoomOptions {
  /** Bytes of the file system that blocks must leave free. */
  readonly reserveBytes: number;
  /** Bytes that blocks may take in all; without it the file system is the limit. */
  readonly capacityBytes?: number;
}

/** One block that is being written has its size promised from create() to commit() or abort(). */
export class BlockRoom {
  readonly #directory: string;
  readonly #index: BlockIndex;
  readonly #options: RoomOptions;
  #promisedBytes = 0;

  constructor(directory: string, index: BlockIndex, options: RoomOptions) {
    this.#directory = directory;
    this.#index = index;
    this.#options = options;
  }

  /** Throws STORAGE_FULL when `sizeBytes` do not fit beside everything promised so far. */
  async promise(sizeBytes: number): Promise<void> {
    // Promised before the question, so that two at once cannot both get the last room.
    this.#promisedBytes += sizeBytes;
    try {
      const leftBytes = await this.#leftBytes();
      if (leftBytes < 0) throw storageFull(this.#directory, sizeBytes, Math.max(0, leftBytes + sizeBytes));
    } catch (error) {
      this.release(sizeBytes);
      throw error;
    }
  }

  release(sizeBytes: number): void {
    this.#promisedBytes -= sizeBytes;
  }

  async usage(): Promise<StoreUsage> {
    const usedBytes = this.#index.totalBytes;
    const freeBytes = Math.max(0, await this.#leftBytes());
    const capacityBytes = this.#options.capacityBytes ?? usedBytes + this.#promisedBytes + freeBytes;
    return { capacityBytes, usedBytes, freeBytes, blockCount: this.#index.count };
  }

  /** Negative when more is promised than there is. Costs one statfs, some 20 microseconds, so it is never stale. */
  async #leftBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#directory);
    const onDisk = bavail * bsize - this.#options.reserveBytes;
    const { capacityBytes } = this.#options;
    const allowed =
      capacityBytes === undefined ? onDisk : Math.min(onDisk, capacityBytes - this.#index.totalBytes);
    return Math.floor(allowed - this.#promisedBytes);
  }
}
