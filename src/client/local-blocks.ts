/** @module Blocks of a datanode on this very machine, read from its files: they do not cross the network, not even loopback. */
import { join } from 'node:path';
import { toHex } from '../common/bytes.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { BlockHash } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import type { MessageHasher } from '../common/message-hasher.ts';
import { PieceMemory } from '../common/piece-memory.ts';
import { readBlockFile, readBlockUnchecked } from '../storage/block-file-reader.ts';
import { CHUNK_BYTES } from '../storage/block-store.ts';
import { blockFilePath } from '../storage/block-directory.ts';
import type { BlockInfo } from '../storage/block-info.ts';
import { isSystemError } from '../storage/durable-file.ts';
import type { BlockRange } from './block-range.ts';

export interface LocalBlocksComponents {
  readonly hasher: MessageHasher;
  readonly logger: Logger;
}

export interface LocalBlocksOptions {
  /** Data directory of the node; it need not exist. */
  readonly nodeDir: string;
}

/** Where its block store is; as src/node/data-directory.ts has it. */
const BLOCK_DIRECTORY = 'blocks';
/** Of other users' nodes, or of none. */
const NOT_OURS: readonly string[] = ['ENOENT', 'EACCES', 'EPERM', 'ENOTDIR'];

/**
 * Only reads, while the datanode goes on working: a block's file never changes, it is only renamed into its place and out
 * of it. Small blocks are no files of their own and come over the network.
 */
export class LocalBlocks {
  readonly #hasher: MessageHasher;
  readonly #logger: Logger;
  readonly #root: string;
  readonly #memory = new PieceMemory({ pieceBytes: CHUNK_BYTES });

  constructor({ hasher, logger }: LocalBlocksComponents, { nodeDir }: LocalBlocksOptions) {
    this.#hasher = hasher;
    this.#logger = logger;
    this.#root = join(nodeDir, BLOCK_DIRECTORY);
  }

  /** The wanted bytes, a whole block verified by its hash, a part by each 64 KiB; undefined when they are not here, or rotten. */
  async read(
    block: { readonly hash: Uint8Array; readonly sizeBytes: number },
    { offset, length }: BlockRange,
  ): Promise<readonly Uint8Array[] | undefined> {
    const info = { hash: toHex(block.hash), sizeBytes: block.sizeBytes };
    const path = blockFilePath(this.#root, info.hash);
    try {
      if (length === block.sizeBytes) return await this.#readWhole(path, info, block.hash);
      const pieces: Uint8Array[] = [];
      for await (const piece of readBlockFile(path, info, offset, offset + length)) pieces.push(piece);
      return pieces;
    } catch (error) {
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      if (NOT_OURS.some((code) => isSystemError(cause, code))) return undefined;
      if (!isHoldfastError(error, 'STORAGE_CORRUPT_BLOCK')) throw error;
      return this.#passOver(info.hash, describeError(error));
    }
  }

  /** Nobody looks at a piece of read() any more: the next ones may lie there. False when it is none. */
  takeBack(piece: Uint8Array): boolean {
    return this.#memory.takeBack(piece);
  }

  async #readWhole(
    path: string,
    info: BlockInfo,
    hash: Uint8Array,
  ): Promise<readonly Uint8Array[] | undefined> {
    using message = this.#hasher.begin(info.sizeBytes);
    const pieces: Uint8Array[] = [];
    for await (const piece of readBlockUnchecked(path, info, this.#memory)) {
      pieces.push(piece);
      message.add(piece);
    }
    if (await message.isNamed(hash)) return pieces;
    return this.#passOver(info.hash, 'its SHA-256 is another one');
  }

  /** A datanode has the block, too, and will find out. */
  #passOver(hash: BlockHash, error: string): undefined {
    this.#logger.warn('client.local-copy-rotten', { hash, error });
  }
}
