/** @module The block store over its two shelves, files and packed rows: who may read and write what, an index in memory. */
import { toHex } from '../common/bytes.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import { type BlockHash, sha256Stream } from '../common/hashing.ts';
import type { PieceMemory } from '../common/piece-memory.ts';
import { BlockDigest } from './block-digest.ts';
import { BlockHoldings, type HoldingsComponents, type HoldingsOptions } from './block-holdings.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockRoom } from './block-room.ts';
import type { BlockShelf, ShelfWriter } from './block-shelf.ts';
import type {
  BlockOrigin,
  BlockStore,
  BlockWriter,
  NewBlock,
  StoreUsage,
  WholeNewBlock,
} from './block-store.ts';
import type { BlockInfo, QuarantinedBlock, QuarantineNote } from './block-info.ts';
import { isOutOfHandles } from './durable-file.ts';
import { corruptBlock, noBlock, outOfHandles, storageFailed } from './errors.ts';
import type { FurtherOrigins } from './further-origins.ts';
import { isSameOrigin } from './origin-row.ts';
import type { Quarantine } from './quarantine.ts';
import { type BlockSink, StreamingBlockWriter } from './streaming-block-writer.ts';

/** The shelves stay the caller's to close, after the store. */
export interface ShelvedBlockStoreComponents extends HoldingsComponents {
  readonly room: BlockRoom;
  readonly further: FurtherOrigins;
}

/** A failed write or fsync latches: nothing more is taken, while reads go on, since each is verified. */
export class ShelvedBlockStore implements BlockStore {
  readonly #index: BlockIndex;
  readonly #quarantine: Quarantine;
  readonly #packed: BlockShelf;
  readonly #holdings: BlockHoldings;
  readonly #room: BlockRoom;
  readonly #further: FurtherOrigins;
  readonly #options: HoldingsOptions;
  readonly #writers = new Set<BlockWriter>();
  #closed = false;

  constructor(components: ShelvedBlockStoreComponents, options: HoldingsOptions) {
    this.#index = components.index;
    this.#quarantine = components.quarantine;
    this.#packed = components.packed;
    this.#holdings = new BlockHoldings(components, options);
    this.#room = components.room;
    this.#further = components.further;
    this.#options = options;
  }

  get isReadOnly(): boolean {
    return this.#holdings.latch.failed;
  }

  has(hash: BlockHash): boolean {
    return this.#holdings.has(hash);
  }

  info(hash: BlockHash): BlockInfo | undefined {
    const sizeBytes = this.#index.sizeOf(hash);
    return sizeBytes === undefined ? undefined : { hash, sizeBytes };
  }

  /** A block that is here already is taken and verified all the same, then dropped. */
  async create(block: NewBlock): Promise<BlockWriter> {
    this.#holdings.assertOpen();
    this.#holdings.latch.check();
    await this.#room.promise(block.sizeBytes);
    const sink = this.#sink(block, await this.#begin(block));
    const writer = new StreamingBlockWriter(block, sink, {
      explain: (error) => this.#holdings.explain(`write block ${block.hash}`, block.sizeBytes, error),
      ended: (ended) => {
        this.#writers.delete(ended);
        this.#room.release(block.sizeBytes);
      },
    });
    this.#writers.add(writer);
    return writer;
  }

  async storeAll(blocks: readonly WholeNewBlock[]): Promise<readonly PromiseSettledResult<void>[]> {
    this.#holdings.assertOpen();
    this.#holdings.latch.check();
    const sizeBytes = blocks.reduce((sum, block) => sum + block.sizeBytes, 0);
    await this.#room.promise(sizeBytes);
    try {
      return await Promise.allSettled(blocks.map((block) => this.#storeWhole(block)));
    } finally {
      this.#room.release(sizeBytes);
    }
  }

  async *read(
    hash: BlockHash,
    range?: { readonly offset: number; readonly length: number },
    memory?: PieceMemory,
  ): AsyncGenerator<Uint8Array> {
    const block = this.#holdings.held(hash);
    const from = range?.offset ?? 0;
    const to = Math.min(block.sizeBytes, range === undefined ? block.sizeBytes : from + range.length);
    try {
      yield* this.#holdings.shelfOf(block).read(block, from, to, memory);
    } catch (error) {
      throw this.#explainRead(hash, error);
    }
  }

  async origin(hash: BlockHash): Promise<BlockOrigin> {
    const block = this.#holdings.held(hash);
    try {
      return await this.#holdings.shelfOf(block).origin(block);
    } catch (error) {
      throw this.#explainRead(hash, error);
    }
  }

  async origins(hash: BlockHash): Promise<readonly BlockOrigin[]> {
    return [await this.origin(hash), ...(await this.#further.of(hash))];
  }

  async quarantinedOrigins(hash: BlockHash): Promise<readonly BlockOrigin[]> {
    this.#holdings.assertOpen();
    const block = this.#quarantine.get(hash);
    if (block === undefined) return [];
    const further = await this.#further.of(hash);
    try {
      return [await this.#holdings.shelfOf(block).quarantinedOrigin(block), ...further];
    } catch (error) {
      if (isHoldfastError(error, 'STORAGE_CORRUPT_BLOCK')) return further;
      throw error;
    }
  }

  async describe(hash: BlockHash, origin: BlockOrigin): Promise<void> {
    this.#holdings.latch.check();
    if (isSameOrigin(await this.origin(hash), origin)) return;
    try {
      await this.#further.add(hash, origin);
    } catch (error) {
      throw this.#holdings.explain(`describe block ${hash}`, 0, error);
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

  quarantine(hash: BlockHash, note: QuarantineNote, isStill: () => boolean = () => true): Promise<boolean> {
    return this.#holdings.quarantine(hash, note, isStill);
  }

  release(hash: BlockHash): Promise<boolean> {
    return this.#holdings.release(hash);
  }

  async purge(hash: BlockHash): Promise<boolean> {
    const isPurged = await this.#holdings.purge(hash);
    await this.#forget(hash);
    return isPurged;
  }

  quarantineOf(hash: BlockHash): QuarantinedBlock | undefined {
    return this.#quarantine.get(hash);
  }

  quarantined(after: BlockHash | undefined, limit: number): readonly QuarantinedBlock[] {
    return this.#quarantine.list(after, limit);
  }

  async remove(hash: BlockHash): Promise<void> {
    await this.#holdings.remove(hash);
    await this.#forget(hash);
  }

  reclaim(): Promise<boolean> {
    this.#holdings.assertOpen();
    return this.#packed.reclaim();
  }

  list(after: BlockHash | undefined, limit: number): readonly BlockInfo[] {
    return this.#index.list(after, limit);
  }

  below(prefix: string): readonly BlockHash[] {
    return this.#index.below(prefix);
  }

  combined(prefix: string): ReturnType<BlockIndex['combined']> {
    return this.#index.combined(prefix);
  }

  usage(): Promise<StoreUsage> {
    return this.#room.usage();
  }

  /** Aborts what is being written, then waits for what cannot be. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#writers].map((writer) => writer.abort()));
    await this.#holdings.close();
  }

  async #begin(block: NewBlock): Promise<ShelfWriter> {
    try {
      return await this.#holdings.shelfOf(block).begin(block);
    } catch (error) {
      this.#room.release(block.sizeBytes);
      throw this.#holdings.explain(`begin block ${block.hash}`, block.sizeBytes, error);
    }
  }

  async #storeWhole({ data, ...block }: WholeNewBlock): Promise<void> {
    const digest = new BlockDigest();
    digest.update(data);
    const crcs = digest.finish(block);
    try {
      const writer = await this.#holdings.shelfOf(block).begin(block);
      const sink = this.#sink(block, writer);
      try {
        await sink.write(data);
        await sink.publish(crcs);
      } catch (error) {
        await sink.discard();
        throw error;
      }
    } catch (error) {
      throw this.#holdings.explain(`write block ${block.hash}`, block.sizeBytes, error);
    }
  }

  #sink(block: NewBlock, writer: ShelfWriter): BlockSink {
    return {
      write: (bytes, left) => writer.write(bytes, left),
      publish: async (crcs) => {
        await writer.finish(crcs);
        if (await this.#holdings.publish(block, writer)) return;
        // Another writer of this block was faster, or a copy was brought back that nobody has read since.
        await this.#confirm(block);
        await writer.discard();
      },
      discard: () => writer.discard(),
    };
  }

  /** The copy that is here counts for the one that was written. STORAGE_CORRUPT_BLOCK where it must not. */
  async #confirm({ hash, origin }: NewBlock): Promise<void> {
    if (!(await this.verify(hash))) throw corruptBlock(hash, 'it has rotted since it was put aside');
    await this.describe(hash, origin);
  }

  /** A failure costs nothing: what is known of a block that is gone does no harm. */
  async #forget(hash: BlockHash): Promise<void> {
    if (!this.has(hash) && this.quarantineOf(hash) === undefined) await this.#further.forget(hash);
  }

  #explainRead(hash: BlockHash, error: unknown): unknown {
    // Removed or quarantined while it was being read.
    if (!this.has(hash)) return noBlock(hash);
    if (isHoldfastError(error)) return error;
    const { name } = this.#options;
    if (isOutOfHandles(error)) return outOfHandles(`read block ${hash}`, name, error);
    return storageFailed(`read block ${hash} (${describeError(error)})`, name, error);
  }
}
