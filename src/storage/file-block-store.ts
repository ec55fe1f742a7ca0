/** @module The block store on disk: a file per large block, one SQLite file for small ones. */
import { statfs } from 'node:fs/promises';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { BlockDirectory } from './block-directory.ts';
import { BlockIndex } from './block-index.ts';
import { BlockRoom, type HeldBlocks, type RoomOptions } from './block-room.ts';
import { isSystemError } from './durable-file.ts';
import { corruptPacked, storageFailed } from './errors.ts';
import { FileShelf } from './file-shelf.ts';
import { StoredFurtherOrigins } from './further-origins.ts';
import { PackedBlocks } from './packed-blocks.ts';
import { Quarantine } from './quarantine.ts';
import { ShelvedBlockStore } from './shelved-block-store.ts';
import { isCorruption, isSqliteError } from './sqlite-error.ts';

export interface BlockStoreOptions extends RoomOptions {
  readonly logger: Logger;
}

/** Opens or makes a store in `root`, which one process may use at a time. Errors: STORAGE_FAILED, STORAGE_CORRUPT_PACKED, STORAGE_NOT_DURABLE, STORAGE_WRONG_FORMAT. */
export async function openBlockStore(root: string, options: BlockStoreOptions): Promise<FileBlockStore> {
  const directory = new BlockDirectory(root, options.logger);
  const held: HeldBlocks = { index: new BlockIndex(), quarantine: new Quarantine() };
  try {
    await directory.prepare();
    for await (const { hash, sizeBytes } of directory.scan()) held.index.add(hash, sizeBytes);
    for await (const block of directory.scanQuarantine()) held.quarantine.add(block);
    const packed = await openPacked(directory, held);
    options.logger.info('block store opened', {
      root,
      blocks: held.index.count,
      bytes: held.index.totalBytes,
      quarantined: held.quarantine.count,
    });
    const further = await openFurther(directory, packed, options.logger);
    return new FileBlockStore({ ...held, directory, packed, further }, options);
  } catch (error) {
    throw isHoldfastError(error) ? error : storageFailed('open the block store', root, error);
  }
}

/** Index and quarantine are filled with what `directory` and `packed` hold. */
export interface BlockStoreComponents extends HeldBlocks {
  readonly directory: BlockDirectory;
  readonly packed: PackedBlocks;
  readonly further: StoredFurtherOrigins;
}

export class FileBlockStore extends ShelvedBlockStore {
  readonly #packed: PackedBlocks;
  readonly #stored: StoredFurtherOrigins;
  #closing: Promise<void> | undefined;

  constructor({ directory, packed, ...held }: BlockStoreComponents, options: RoomOptions) {
    const { root } = directory;
    const room = new BlockRoom({ ...held, freeBytes: () => freeBytes(root) }, { ...options, name: root });
    super({ ...held, packed, files: new FileShelf(directory), room }, { name: root, isFull });
    this.#packed = packed;
    this.#stored = held.further;
  }

  /** Transactions of small blocks so far, each of them one fsync. */
  get packedTransactionCount(): number {
    return this.#packed.transactionCount;
  }

  override close(): Promise<void> {
    this.#closing ??= super
      .close()
      .then(() => this.#packed.close())
      .then(() => this.#stored.close());
    return this.#closing;
  }
}

async function openPacked(
  directory: BlockDirectory,
  { index, quarantine }: HeldBlocks,
): Promise<PackedBlocks> {
  const path = directory.packedPath;
  await directory.settlePacked();
  let packed: PackedBlocks | undefined;
  try {
    packed = await PackedBlocks.open(path);
    for await (const { hash, sizeBytes } of packed.list()) index.add(hash, sizeBytes);
    for await (const block of packed.quarantined()) quarantine.add(block);
    return packed;
  } catch (error) {
    await packed?.close();
    throw isCorruption(error) ? corruptPacked(path, error) : error;
  }
}

/** A file that is damaged is put aside: it says of blocks what else they are part of, and holds none. */
async function openFurther(
  directory: BlockDirectory,
  packed: PackedBlocks,
  logger: Logger,
): Promise<StoredFurtherOrigins> {
  const path = directory.originsPath;
  try {
    return await StoredFurtherOrigins.open(path).catch(async (error: unknown) => {
      if (!isCorruption(error)) throw error;
      logger.error('further origins are damaged, put aside', { path, error: describeError(error) });
      await directory.setOriginsAside();
      return await StoredFurtherOrigins.open(path);
    });
  } catch (error) {
    await packed.close();
    throw error;
  }
}

function isFull(error: unknown): boolean {
  const system = ['ENOSPC', 'EDQUOT'].some((code) => isSystemError(error, code));
  return system || isSqliteError(error, 'SQLITE_FULL');
}

/** Costs one statfs, some 20 microseconds. */
async function freeBytes(root: string): Promise<number> {
  const { bavail, bsize } = await statfs(root);
  return bavail * bsize;
}
