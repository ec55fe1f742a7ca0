/** @module The block store without a disk, for tests and simulations. */
import { type Left, MIB, toHex } from '../common/bytes.ts';
import { type BlockHash, sha256 } from '../common/hashing.ts';
import { storedOrigin } from './block-file.ts';
import { BlockIndex } from './block-index.ts';
import type {
  BlockOrigin,
  BlockStore,
  BlockWriter,
  NewBlock,
  StoreUsage,
  WholeNewBlock,
} from './block-store.ts';
import type { BlockInfo, QuarantinedBlock, QuarantineNote } from './block-info.ts';
import { corruptBlock, noBlock, storageClosed, storageFull } from './errors.ts';
import { MemoryFurtherOrigins } from './further-origins.ts';
import { Quarantine } from './quarantine.ts';
import { isSameOrigin } from './origin-row.ts';
import { type BlockSink, StreamingBlockWriter } from './streaming-block-writer.ts';

const NAME = 'memory';
const CHUNK_BYTES = MIB;

interface HeldBlock {
  readonly data: Uint8Array;
  readonly origin: BlockOrigin;
}

export interface MemoryBlockStoreOptions {
  /** Bytes of all blocks together; default 1 GiB. */
  readonly capacityBytes?: number;
}

/** Behaves as FileBlockStore does, but forgets everything. */
export class MemoryBlockStore implements BlockStore {
  readonly isReadOnly = false;
  readonly #capacityBytes: number;
  readonly #index = new BlockIndex();
  readonly #blocks = new Map<BlockHash, HeldBlock>();
  readonly #quarantine = new Quarantine();
  /** The bytes of what is in quarantine. */
  readonly #aside = new Map<BlockHash, HeldBlock>();
  readonly #further = new MemoryFurtherOrigins();
  #promisedBytes = 0;
  #closed = false;

  constructor(options: MemoryBlockStoreOptions = {}) {
    this.#capacityBytes = options.capacityBytes ?? 1024 * MIB;
  }

  has(hash: BlockHash): boolean {
    return this.#index.sizeOf(hash) !== undefined;
  }

  info(hash: BlockHash): BlockInfo | undefined {
    const sizeBytes = this.#index.sizeOf(hash);
    return sizeBytes === undefined ? undefined : { hash, sizeBytes };
  }

  async create(block: NewBlock): Promise<BlockWriter> {
    if (this.#closed) throw storageClosed(NAME);
    const { freeBytes } = await this.usage();
    if (block.sizeBytes > freeBytes) throw storageFull(NAME, block.sizeBytes, freeBytes);
    this.#promisedBytes += block.sizeBytes;
    return new StreamingBlockWriter(block, this.#sink(block), {
      explain: (error) => error,
      ended: () => {
        this.#promisedBytes -= block.sizeBytes;
      },
    });
  }

  storeAll(blocks: readonly WholeNewBlock[]): Promise<readonly PromiseSettledResult<void>[]> {
    return Promise.allSettled(
      blocks.map(async ({ data, ...block }) => {
        const writer = await this.create(block);
        await writer.write(data);
        await writer.commit();
      }),
    );
  }

  async *read(
    hash: BlockHash,
    range?: { readonly offset: number; readonly length: number },
  ): AsyncGenerator<Uint8Array> {
    const { data } = this.#held(hash);
    if (toHex(sha256(data)) !== hash) throw corruptBlock(hash, 'bad checksum');
    const end = Math.min(data.length, range === undefined ? data.length : range.offset + range.length);
    for (let at = range?.offset ?? 0; at < end; at += CHUNK_BYTES)
      yield data.slice(at, Math.min(at + CHUNK_BYTES, end));
  }

  async origin(hash: BlockHash): Promise<BlockOrigin> {
    return this.#held(hash).origin;
  }

  async origins(hash: BlockHash): Promise<readonly BlockOrigin[]> {
    return [this.#held(hash).origin, ...(await this.#further.of(hash))];
  }

  async quarantinedOrigins(hash: BlockHash): Promise<readonly BlockOrigin[]> {
    const held = this.#aside.get(hash);
    return held === undefined ? [] : [held.origin, ...(await this.#further.of(hash))];
  }

  async describe(hash: BlockHash, origin: BlockOrigin): Promise<void> {
    if (!isSameOrigin(this.#held(hash).origin, origin)) await this.#further.add(hash, origin);
  }

  async verify(hash: BlockHash): Promise<boolean> {
    return toHex(sha256(this.#held(hash).data)) === hash;
  }

  async quarantine(
    hash: BlockHash,
    note: QuarantineNote,
    isStill: () => boolean = () => true,
  ): Promise<boolean> {
    const held = this.#held(hash);
    if (!isStill()) return false;
    this.#index.delete(hash);
    this.#blocks.delete(hash);
    this.#quarantine.add({ hash, sizeBytes: held.data.length, ...note });
    this.#aside.set(hash, held);
    return true;
  }

  async release(hash: BlockHash): Promise<boolean> {
    const held = this.#aside.get(hash);
    if (held === undefined || this.#quarantine.get(hash)?.reason === 'corrupt' || this.has(hash))
      return false;
    this.#dropAside(hash);
    this.#blocks.set(hash, held);
    this.#index.add(hash, held.data.length);
    return true;
  }

  async purge(hash: BlockHash): Promise<boolean> {
    if (!this.has(hash)) await this.#further.forget(hash);
    return this.#dropAside(hash);
  }

  quarantineOf(hash: BlockHash): QuarantinedBlock | undefined {
    return this.#quarantine.get(hash);
  }

  quarantined(after: BlockHash | undefined, limit: number): readonly QuarantinedBlock[] {
    return this.#quarantine.list(after, limit);
  }

  async reclaim(): Promise<boolean> {
    return false;
  }

  async remove(hash: BlockHash): Promise<void> {
    this.#held(hash);
    this.#index.delete(hash);
    this.#blocks.delete(hash);
    await this.#further.forget(hash);
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

  async usage(): Promise<StoreUsage> {
    const { totalBytes: quarantinedBytes, count: quarantinedCount } = this.#quarantine;
    const usedBytes = this.#index.totalBytes + quarantinedBytes;
    const freeBytes = Math.max(0, this.#capacityBytes - usedBytes - this.#promisedBytes);
    const blockCount = this.#index.count;
    const capacityBytes = this.#capacityBytes;
    return { capacityBytes, usedBytes, freeBytes, blockCount, quarantinedBytes, quarantinedCount };
  }

  /** For tests: flips one bit of a stored block. */
  corrupt(hash: BlockHash, at: number): void {
    const { data } = this.#held(hash);
    data[at] = (data[at] ?? 0) ^ 1;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #held(hash: BlockHash): HeldBlock {
    if (this.#closed) throw storageClosed(NAME);
    const held = this.#blocks.get(hash);
    if (held === undefined) throw noBlock(hash);
    return held;
  }

  #dropAside(hash: BlockHash): boolean {
    this.#quarantine.delete(hash);
    return this.#aside.delete(hash);
  }

  #sink(block: NewBlock): BlockSink {
    const parts: { readonly bytes: Uint8Array; readonly left: Left | undefined }[] = [];
    return {
      write: async (bytes, left) => void parts.push({ bytes, left }),
      publish: async () => {
        if (this.#closed) throw storageClosed(NAME);
        const origin = storedOrigin(block.origin);
        const data = Buffer.concat(parts.map(({ bytes }) => bytes));
        for (const { left } of parts) left?.();
        if (this.#index.add(block.hash, block.sizeBytes)) this.#blocks.set(block.hash, { data, origin });
        else await this.describe(block.hash, origin);
        if (this.#quarantine.get(block.hash)?.reason !== 'corrupt') this.#dropAside(block.hash);
      },
      discard: async () => void (parts.length = 0),
    };
  }
}
