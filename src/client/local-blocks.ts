/** @module Blocks of a datanode on this very machine, read from its files: they do not cross the network, not even loopback. */
import { join } from 'node:path';
import { toHex } from '../common/bytes.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import { sha256Stream } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import { readBlockFile } from '../storage/block-file-reader.ts';
import { blockFilePath } from '../storage/block-directory.ts';
import { isSystemError } from '../storage/durable-file.ts';
import type { BlockRange } from './block-range.ts';

export interface LocalBlocksComponents {
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
  readonly #logger: Logger;
  readonly #root: string;

  constructor({ logger }: LocalBlocksComponents, { nodeDir }: LocalBlocksOptions) {
    this.#logger = logger;
    this.#root = join(nodeDir, BLOCK_DIRECTORY);
  }

  /** The wanted bytes, each 64 KiB verified, and a whole block by its hash; undefined when they are not here, or rotten. */
  async read(
    block: { readonly hash: Uint8Array; readonly sizeBytes: number },
    { offset, length }: BlockRange,
  ): Promise<readonly Uint8Array[] | undefined> {
    const hash = toHex(block.hash);
    const digest = sha256Stream();
    const pieces: Uint8Array[] = [];
    try {
      const info = { hash, sizeBytes: block.sizeBytes };
      for await (const piece of readBlockFile(
        blockFilePath(this.#root, hash),
        info,
        offset,
        offset + length,
      )) {
        digest.update(piece);
        pieces.push(piece);
      }
    } catch (error) {
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      if (NOT_OURS.some((code) => isSystemError(cause, code))) return undefined;
      if (!isHoldfastError(error, 'STORAGE_CORRUPT_BLOCK')) throw error;
      this.#logger.warn('client.local-copy-rotten', { hash, error: describeError(error) });
      return undefined;
    }
    const isWhole = length === block.sizeBytes;
    return isWhole && toHex(digest.digest()) !== hash ? undefined : pieces;
  }
}
