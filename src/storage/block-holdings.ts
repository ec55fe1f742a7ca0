/** @module What a store holds on its two shelves, and every change to that: of one block at a time one. */
import { isHoldfastError } from '../common/errors.ts';
import type { BlockHash } from '../common/hashing.ts';
import type { BlockIndex } from './block-index.ts';
import type { HeldBlocks } from './block-room.ts';
import { type BlockShelf, MAX_PACKED_BYTES, type ShelfWriter } from './block-shelf.ts';
import type { NewBlock } from './block-store.ts';
import type { BlockInfo, QuarantinedBlock, QuarantineNote } from './block-info.ts';
import { isOutOfHandles } from './durable-file.ts';
import { FailureLatch, noBlock, outOfHandles, storageClosed, storageFull } from './errors.ts';
import { KeyedLock } from './keyed-lock.ts';
import type { Quarantine } from './quarantine.ts';

/** Index and quarantine are filled with what the shelves hold. */
export interface HoldingsComponents extends HeldBlocks {
  readonly packed: BlockShelf;
  readonly files: BlockShelf;
}

export interface HoldingsOptions {
  /** Where it is, for messages. */
  readonly name: string;
  /** Whether a shelf means by this error that the disk is full. */
  readonly isFull: (error: unknown) => boolean;
}

/**
 * A failed write or fsync latches: nothing is changed any more, while reads go on, since each is verified. What turns out to be
 * rotten then stays on the disk, but is held no longer.
 */
export class BlockHoldings {
  readonly latch: FailureLatch = new FailureLatch();
  readonly #options: HoldingsOptions;
  readonly #index: BlockIndex;
  readonly #quarantine: Quarantine;
  readonly #packed: BlockShelf;
  readonly #files: BlockShelf;
  readonly #lock = new KeyedLock();
  #closed = false;

  constructor(components: HoldingsComponents, options: HoldingsOptions) {
    this.#options = options;
    this.#index = components.index;
    this.#quarantine = components.quarantine;
    this.#packed = components.packed;
    this.#files = components.files;
  }

  has(hash: BlockHash): boolean {
    return this.#index.sizeOf(hash) !== undefined;
  }

  /** Throws STORAGE_NO_BLOCK unless the block is in service. */
  held(hash: BlockHash): BlockInfo {
    this.assertOpen();
    const sizeBytes = this.#index.sizeOf(hash);
    if (sizeBytes === undefined) throw noBlock(hash);
    return { hash, sizeBytes };
  }

  shelfOf({ sizeBytes }: BlockInfo): BlockShelf {
    return sizeBytes <= MAX_PACKED_BYTES ? this.#packed : this.#files;
  }

  /** False when the block is here already, and what was written is not needed. */
  publish(block: NewBlock, writer: ShelfWriter): Promise<boolean> {
    return this.#lock.run(block.hash, async () => {
      this.assertOpen();
      this.latch.check();
      if (this.has(block.hash)) return false;
      await writer.publish();
      this.#index.add(block.hash, block.sizeBytes);
      const aside = this.#quarantine.get(block.hash);
      // A bad copy is kept for its time: somebody may want to see what the disk did.
      if (aside !== undefined && aside.reason !== 'corrupt') await this.#delete(aside);
      return true;
    });
  }

  /** See BlockStore.quarantine. */
  quarantine(hash: BlockHash, note: QuarantineNote, isStill: () => boolean): Promise<boolean> {
    const mayGo = (): boolean => {
      if (note.reason !== 'corrupt') this.latch.check();
      return isStill();
    };
    return this.#takeOut(hash, 'quarantine', mayGo, async (shelf, block) => {
      this.latch.check();
      const entry = { ...block, ...note };
      const earlier = this.#quarantine.get(hash);
      // After a crash a copy put aside whole may lie beside the one written anew: rot does not take its place.
      if (note.reason === 'corrupt' && earlier !== undefined && earlier.reason !== 'corrupt')
        return shelf.remove(block);
      if (earlier !== undefined) await this.#delete(earlier);
      if (await shelf.quarantine(entry)) this.#quarantine.add(entry);
    });
  }

  async remove(hash: BlockHash): Promise<void> {
    const mayGo = (): boolean => {
      this.latch.check();
      return true;
    };
    await this.#takeOut(hash, 'remove', mayGo, (shelf, block) => shelf.remove(block));
  }

  /** See BlockStore.release. */
  release(hash: BlockHash): Promise<boolean> {
    return this.#onQuarantined(hash, 'release', async (block) => {
      if (block.reason === 'corrupt' || this.has(hash)) return false;
      await this.shelfOf(block).release(block);
      this.#quarantine.delete(hash);
      this.#index.add(hash, block.sizeBytes);
      return true;
    });
  }

  /** See BlockStore.purge. */
  purge(hash: BlockHash): Promise<boolean> {
    return this.#onQuarantined(hash, 'purge', async (block) => {
      await this.#delete(block);
      return true;
    });
  }

  assertOpen(): void {
    if (this.#closed) throw storageClosed(this.#options.name);
  }

  /** Begins nothing more, and resolves when what was begun has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#lock.idle();
  }

  /** The error for whoever asked for a change that failed. */
  explain(action: string, wantedBytes: number, error: unknown): unknown {
    if (isHoldfastError(error)) return error;
    const { name, isFull } = this.#options;
    if (isFull(error)) return storageFull(name, wantedBytes, 0);
    if (isOutOfHandles(error)) return outOfHandles(action, name, error);
    return this.latch.fail(action, name, error);
  }

  /** Out of the index first, and in the same turn as `mayGo` is asked, so that nobody is served from it any more. */
  #takeOut(
    hash: BlockHash,
    verb: string,
    mayGo: () => boolean,
    work: (shelf: BlockShelf, block: BlockInfo) => Promise<void>,
  ): Promise<boolean> {
    return this.#lock.run(hash, async () => {
      const block = this.held(hash);
      if (!mayGo()) return false;
      this.#index.delete(hash);
      await this.#explained(verb, block, () => work(this.shelfOf(block), block));
      return true;
    });
  }

  /** False when there is no such copy. */
  #onQuarantined(
    hash: BlockHash,
    verb: string,
    work: (block: QuarantinedBlock) => Promise<boolean>,
  ): Promise<boolean> {
    return this.#lock.run(hash, async () => {
      this.assertOpen();
      const block = this.#quarantine.get(hash);
      if (block === undefined) return false;
      this.latch.check();
      return this.#explained(verb, block, () => work(block));
    });
  }

  /** From both shelves: a file that was cut short may look like a small block. */
  async #delete(block: QuarantinedBlock): Promise<void> {
    await this.#files.purge(block);
    if (this.shelfOf(block) === this.#packed) await this.#packed.purge(block);
    this.#quarantine.delete(block.hash);
  }

  async #explained<T>(verb: string, { hash, sizeBytes }: BlockInfo, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.explain(`${verb} block ${hash}`, sizeBytes, error);
    }
  }
}
