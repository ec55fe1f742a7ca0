/** @module The block store over its two shelves, files and packed rows: who may read and write what, an index in memory. */
import { toHex } from '../common/bytes.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import { type BlockHash, sha256Stream } from '../common/hashing.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockRoom } from './block-room.ts';
import { type BlockShelf, MAX_PACKED_BYTES, type ShelfWriter } from './block-shelf.ts';
import type { BlockInfo, BlockOrigin, BlockStore, BlockWriter, NewBlock, StoreUsage } from './block-store.ts';
import { FailureLatch, noBlock, storageClosed, storageFailed, storageFull } from './errors.ts';
import { KeyedLock } from './keyed-lock.ts';
import { type BlockSink, StreamingBlockWriter } from './streaming-block-writer.ts';

/** The shelves stay the caller's to close, after the store. */
export interface ShelvedBlockStoreComponents {
  /** Filled with what the shelves hold. */
  readonly index: BlockIndex;
  readonly packed: BlockShelf;
  readonly files: BlockShelf;
  readonly room: BlockRoom;
}

export interface ShelvedBlockStoreOptions {
  /** Where it is, for messages. */
  readonly name: string;
  /** Where a bad copy is kept. */
  readonly asidePath: (hash: BlockHash) => string;
  /** Whether a shelf means by this error that the disk is full. */
  readonly isFull: (error: unknown) => boolean;
}

/** A failed write or fsync latches: nothing more is taken, while reads go on, since each is verified. */
export class ShelvedBlockStore implements BlockStore {
  readonly #index: BlockIndex;
  readonly #packed: BlockShelf;
  readonly #files: BlockShelf;
  readonly #room: BlockRoom;
  readonly #options: ShelvedBlockStoreOptions;
  readonly #latch = new FailureLatch();
  /** Publishing, removing and quarantining one block exclude each other. */
  readonly #lock = new KeyedLock();
  readonly #writers = new Set<BlockWriter>();
  #closed = false;

  constructor(components: ShelvedBlockStoreComponents, options: ShelvedBlockStoreOptions) {
    this.#index = components.index;
    this.#packed = components.packed;
    this.#files = components.files;
    this.#room = components.room;
    this.#options = options;
  }

  has(hash: BlockHash): boolean {
    return this.#index.sizeOf(hash) !== undefined;
  }

  info(hash: BlockHash): BlockInfo | undefined {
    const sizeBytes = this.#index.sizeOf(hash);
    return sizeBytes === undefined ? undefined : { hash, sizeBytes };
  }

  /** A block that is here already is taken and verified all the same, then dropped. */
  async create(block: NewBlock): Promise<BlockWriter> {
    this.#assertOpen();
    this.#latch.check();
    await this.#room.promise(block.sizeBytes);
    const sink = this.#sink(block, await this.#begin(block));
    const writer = new StreamingBlockWriter(block, sink, {
      explain: (error) => this.#explain(`write block ${block.hash}`, block.sizeBytes, error),
      ended: (ended) => {
        this.#writers.delete(ended);
        this.#room.release(block.sizeBytes);
      },
    });
    this.#writers.add(writer);
    return writer;
  }

  async *read(
    hash: BlockHash,
    range?: { readonly offset: number; readonly length: number },
  ): AsyncGenerator<Uint8Array> {
    const block = this.#held(hash);
    const from = range?.offset ?? 0;
    const to = Math.min(block.sizeBytes, range === undefined ? block.sizeBytes : from + range.length);
    try {
      yield* this.#shelfOf(block).read(block, from, to);
    } catch (error) {
      throw this.#explainRead(hash, error);
    }
  }

  async origin(hash: BlockHash): Promise<BlockOrigin> {
    const block = this.#held(hash);
    try {
      return await this.#shelfOf(block).origin(block);
    } catch (error) {
      throw this.#explainRead(hash, error);
    }
  }

  async verify(hash: BlockHash): Promise<boolean> {
    const digest = sha256Stream();
    try {
      for await (const bytes of this.read(hash)) digest.update(bytes);
    } catch (error) {
      if (isHoldfastError(error, 'STORAGE_CORRUPT_BLOCK')) return false;
      throw error;
    }
    return toHex(digest.digest()) === hash;
  }

  quarantine(hash: BlockHash): Promise<void> {
    const aside = this.#options.asidePath(hash);
    return this.#takeOut(hash, 'quarantine', (shelf, block) => shelf.quarantine(block, aside));
  }

  remove(hash: BlockHash): Promise<void> {
    return this.#takeOut(hash, 'remove', (shelf, block) => shelf.remove(block));
  }

  list(after: BlockHash | undefined, limit: number): readonly BlockInfo[] {
    return this.#index.list(after, limit);
  }

  usage(): Promise<StoreUsage> {
    return this.#room.usage();
  }

  /** Aborts what is being written, then waits for what cannot be. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#writers].map((writer) => writer.abort()));
    await this.#lock.idle();
  }

  async #begin(block: NewBlock): Promise<ShelfWriter> {
    try {
      return await this.#shelfOf(block).begin(block);
    } catch (error) {
      this.#room.release(block.sizeBytes);
      if (this.#options.isFull(error)) throw storageFull(this.#options.name, block.sizeBytes, 0);
      // Not latched: no byte was written, and running out of file handles passes.
      throw storageFailed(`begin block ${block.hash}`, this.#options.name, error);
    }
  }

  #sink(block: NewBlock, writer: ShelfWriter): BlockSink {
    return {
      write: (bytes) => writer.write(bytes),
      publish: async (crcs) => {
        await writer.finish(crcs);
        await this.#publish(block, writer);
        // Something is left to drop only when another writer of this block was faster.
        await writer.discard();
      },
      discard: () => writer.discard(),
    };
  }

  #publish(block: NewBlock, writer: ShelfWriter): Promise<void> {
    return this.#lock.run(block.hash, async () => {
      this.#assertOpen();
      this.#latch.check();
      if (this.has(block.hash)) return;
      await writer.publish();
      this.#index.add(block.hash, block.sizeBytes);
    });
  }

  /** Out of the index first, so that nobody is served from it any more. */
  #takeOut(
    hash: BlockHash,
    verb: string,
    work: (shelf: BlockShelf, block: BlockInfo) => Promise<void>,
  ): Promise<void> {
    return this.#lock.run(hash, async () => {
      const block = this.#held(hash);
      this.#latch.check();
      this.#index.delete(hash);
      try {
        await work(this.#shelfOf(block), block);
      } catch (error) {
        throw this.#explain(`${verb} block ${hash}`, block.sizeBytes, error);
      }
    });
  }

  #shelfOf(block: BlockInfo): BlockShelf {
    return block.sizeBytes <= MAX_PACKED_BYTES ? this.#packed : this.#files;
  }

  #held(hash: BlockHash): BlockInfo {
    this.#assertOpen();
    const block = this.info(hash);
    if (block === undefined) throw noBlock(hash);
    return block;
  }

  #assertOpen(): void {
    if (this.#closed) throw storageClosed(this.#options.name);
  }

  #explain(action: string, wantedBytes: number, error: unknown): unknown {
    if (isHoldfastError(error)) return error;
    if (this.#options.isFull(error)) return storageFull(this.#options.name, wantedBytes, 0);
    return this.#latch.fail(action, this.#options.name, error);
  }

  #explainRead(hash: BlockHash, error: unknown): unknown {
    // Removed or quarantined while it was being read.
    if (!this.has(hash)) return noBlock(hash);
    if (isHoldfastError(error)) return error;
    return storageFailed(`read block ${hash} (${describeError(error)})`, this.#options.name, error);
  }
}
