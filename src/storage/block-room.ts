/** @module How much room a directory has for blocks, and the promises made on it that are not yet kept. */
import type { BlockIndex } from './block-index.ts';
import type { StoreUsage } from './block-store.ts';
import { storageFull } from './errors.ts';

export interface RoomOptions {
  /** Bytes of the file system that blocks must leave free. */
  readonly reserveBytes: number;
  /** Bytes that blocks may take in all; without it the file system is the limit. */
  readonly capacityBytes?: number;
}

export interface BlockRoomComponents {
  readonly index: BlockIndex;
  /** Of the file system, for whoever asks; asked at each promise, so it is never stale. */
  readonly freeBytes: () => Promise<number>;
}

export interface BlockRoomOptions extends RoomOptions {
  /** The directory, for messages. */
  readonly name: string;
}

/** One block that is being written has its size promised from create() to commit() or abort(). */
export class BlockRoom {
  readonly #components: BlockRoomComponents;
  readonly #options: BlockRoomOptions;
  #promisedBytes = 0;

  constructor(components: BlockRoomComponents, options: BlockRoomOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Throws STORAGE_FULL when `sizeBytes` do not fit beside everything promised so far. */
  async promise(sizeBytes: number): Promise<void> {
    // Promised before the question, so that two at once cannot both get the last room.
    this.#promisedBytes += sizeBytes;
    try {
      const leftBytes = await this.#leftBytes();
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
    const usedBytes = this.#components.index.totalBytes;
    const freeBytes = Math.max(0, await this.#leftBytes());
    const capacityBytes = this.#options.capacityBytes ?? usedBytes + this.#promisedBytes + freeBytes;
    return { capacityBytes, usedBytes, freeBytes, blockCount: this.#components.index.count };
  }

  /** Negative when more is promised than there is. */
  async #leftBytes(): Promise<number> {
    const onDisk = (await this.#components.freeBytes()) - this.#options.reserveBytes;
    const { capacityBytes } = this.#options;
    const allowed =
      capacityBytes === undefined
        ? onDisk
        : Math.min(onDisk, capacityBytes - this.#components.index.totalBytes);
    return Math.floor(allowed - this.#promisedBytes);
  }
}
