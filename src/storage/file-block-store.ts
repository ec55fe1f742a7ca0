/** @module The block store on disk: a file per large block, one SQLite file for small ones, an index in memory. */
import { toHex } from '../common/bytes.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import { type BlockHash, sha256Stream } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import { BlockDirectory } from './block-directory.ts';
import { BlockIndex } from './block-index.ts';
import { BlockRoom, type RoomOptions } from './block-room.ts';
import type { BlockShelf, ShelfWriter } from './block-shelf.ts';
import type { BlockInfo, BlockOrigin, BlockStore, BlockWriter, NewBlock, StoreUsage } from './block-store.ts';
import { isSystemError } from './durable-file.ts';
import { FailureLatch, noBlock, storageClosed, storageFailed, storageFull } from './errors.ts';
import { FileShelf } from './file-shelf.ts';
import { KeyedLock } from './keyed-lock.ts';
import { MAX_PACKED_BYTES, PackedBlocks } from './packed-blocks.ts';
import { isSqliteError } from './sqlite.ts';
import { type BlockSink, StreamingBlockWriter } from './streaming-block-writer.ts';

export interface BlockStoreOptions extends RoomOptions {
  readonly logger: Logger;
}

/** Opens or makes a store in `root`, which one process may use at a time. Errors: STORAGE_FAILED, STORAGE_NOT_DURABLE, STORAGE_WRONG_FORMAT. */
export async function openBlockStore(root: string, options: BlockStoreOptions): Promise<FileBlockStore> {
  const directory = new BlockDirectory(root, options.logger);
  const index = new BlockIndex();
  try {
    await directory.prepare();
    for await (const { hash, sizeBytes } of directory.scan()) index.add(hash, sizeBytes);
    const packed = await openPacked(directory, index);
    options.logger.info('block store opened', { root, blocks: index.count, bytes: index.totalBytes });
    return new FileBlockStore({ directory, index, packed }, options);
  } catch (error) {
    throw isHoldfastError(error) ? error : storageFailed('open the block store', root, error);
  }
}

export interface BlockStoreComponents {
  readonly directory: BlockDirectory;
  /** Filled with what `directory` and `packed` hold. */
  readonly index: BlockIndex;
  readonly packed: PackedBlocks;
}

/** A failed write or fsync latches: nothing more is taken, while reads go on, since each is verified. */
export class FileBlockStore implements BlockStore {
  readonly #directory: BlockDirectory;
  readonly #index: BlockIndex;
  readonly #packed: PackedBlocks;
  readonly #files: FileShelf;
  readonly #room: BlockRoom;
  readonly #latch = new FailureLatch();
  /** Publishing, removing and quarantining one block exclude each other. */
  readonly #lock = new KeyedLock();
  readonly #writers = new Set<BlockWriter>();
  #closed = false;

  constructor(components: BlockStoreComponents, options: RoomOptions) {
    this.#directory = components.directory;
    this.#index = components.index;
    this.#packed = components.packed;
    this.#files = new FileShelf(components.directory);
    this.#room = new BlockRoom(components.directory.root, components.index, options);
  }

  /** Transactions of small blocks so far, each of them one fsync. */
  get packedTransactionCount(): number {
    return this.#packed.transactionCount;
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
    const aside = this.#directory.quarantinePath(hash);
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

  /** Aborts what is being written, then closes. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#writers].map((writer) => writer.abort()));
    await this.#lock.idle();
    await this.#packed.close();
  }

  async #begin(block: NewBlock): Promise<ShelfWriter> {
    try {
      return await this.#shelfOf(block).begin(block);
    } catch (error) {
      this.#room.release(block.sizeBytes);
      if (isFull(error)) throw storageFull(this.#directory.root, block.sizeBytes, 0);
      // Not latched: no byte was written, and running out of file handles passes.
      throw storageFailed(`begin block ${block.hash}`, this.#directory.root, error);
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
    if (this.#closed) throw storageClosed(this.#directory.root);
  }

  #explain(action: string, wantedBytes: number, error: unknown): unknown {
    if (isHoldfastError(error)) return error;
    if (isFull(error)) return storageFull(this.#directory.root, wantedBytes, 0);
    return this.#latch.fail(action, this.#directory.root, error);
  }

  #explainRead(hash: BlockHash, error: unknown): unknown {
    // Removed or quarantined while it was being read.
    if (!this.has(hash)) return noBlock(hash);
    if (isHoldfastError(error)) return error;
    return storageFailed(`read block ${hash} (${describeError(error)})`, this.#directory.root, error);
  }
}

async function openPacked(directory: BlockDirectory, index: BlockIndex): Promise<PackedBlocks> {
  const packed = await PackedBlocks.open(directory.packedPath);
  try {
    for await (const { hash, sizeBytes } of packed.list()) index.add(hash, sizeBytes);
    return packed;
  } catch (error) {
    await packed.close();
    throw error;
  }
}

function isFull(error: unknown): boolean {
  const system = ['ENOSPC', 'EDQUOT'].some((code) => isSystemError(error, code));
  return system || isSqliteError(error, 'SQLITE_FULL');
}
