/** @module The block store on disk: a file per large block, one SQLite file for small ones. */
import { statfs } from 'node:fs/promises';
import { isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { BlockDirectory } from './block-directory.ts';
import { BlockIndex } from './block-index.ts';
import { BlockRoom, type RoomOptions } from './block-room.ts';
import { isSystemError } from './durable-file.ts';
import { storageFailed } from './errors.ts';
import { FileShelf } from './file-shelf.ts';
import { PackedBlocks } from './packed-blocks.ts';
import { ShelvedBlockStore } from './shelved-block-store.ts';
import { isSqliteError } from './sqlite.ts';

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

export class FileBlockStore extends ShelvedBlockStore {
  readonly #packed: PackedBlocks;
  #closing: Promise<void> | undefined;

  constructor({ directory, index, packed }: BlockStoreComponents, options: RoomOptions) {
    const { root } = directory;
    const room = new BlockRoom({ index, freeBytes: () => freeBytes(root) }, { ...options, name: root });
    super(
      { index, packed, files: new FileShelf(directory), room },
      { name: root, asidePath: (hash) => directory.quarantinePath(hash), isFull },
    );
    this.#packed = packed;
  }

  /** Transactions of small blocks so far, each of them one fsync. */
  get packedTransactionCount(): number {
    return this.#packed.transactionCount;
  }

  override close(): Promise<void> {
    this.#closing ??= super.close().then(() => this.#packed.close());
    return this.#closing;
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

/** Costs one statfs, some 20 microseconds. */
async function freeBytes(root: string): Promise<number> {
  const { bavail, bsize } = await statfs(root);
  return bavail * bsize;
}
