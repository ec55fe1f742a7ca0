/** @module Large blocks: each a file of its own, written under a temporary name and renamed when durable. */
import type { PieceMemory } from '../common/piece-memory.ts';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BlockDirectory } from './block-directory.ts';
import { readBlockFile, readBlockOrigin } from './block-file-reader.ts';
import { BlockFileWriter } from './block-file-writer.ts';
import type { BlockShelf, ShelfWriter } from './block-shelf.ts';
import type { BlockOrigin, NewBlock } from './block-store.ts';
import type { BlockInfo, QuarantinedBlock } from './block-info.ts';
import { DirectMemory } from './direct-memory.ts';
import { isSystemError, syncDirectory } from './durable-file.ts';

export class FileShelf implements BlockShelf {
  readonly #directory: BlockDirectory;
  readonly #memory = new DirectMemory();
  #attempts = 0;

  constructor(directory: BlockDirectory) {
    this.#directory = directory;
  }

  async begin(block: NewBlock): Promise<ShelfWriter> {
    this.#attempts += 1;
    const temporary = this.#directory.incomingPath(block.hash, this.#attempts);
    const path = this.#directory.blockPath(block.hash);
    return await BlockFileWriter.open(block, { temporary, path }, this.#memory);
  }

  read(block: BlockInfo, from: number, to: number, memory?: PieceMemory): AsyncIterable<Uint8Array> {
    return readBlockFile(this.#directory.blockPath(block.hash), block, from, to, memory);
  }

  origin(block: BlockInfo): Promise<BlockOrigin> {
    return readBlockOrigin(this.#directory.blockPath(block.hash), block);
  }

  quarantinedOrigin(block: QuarantinedBlock): Promise<BlockOrigin> {
    return readBlockOrigin(this.#directory.quarantinePath(block), block);
  }

  async quarantine(block: QuarantinedBlock): Promise<boolean> {
    try {
      await rename(this.#directory.blockPath(block.hash), this.#directory.quarantinePath(block));
      return true;
    } catch (error) {
      // A file that is gone may be why the block is called bad; there is nothing to put aside.
      if (!isSystemError(error, 'ENOENT')) throw error;
      return false;
    }
  }

  async release(block: QuarantinedBlock): Promise<void> {
    const path = this.#directory.blockPath(block.hash);
    await rename(this.#directory.quarantinePath(block), path);
    await syncDirectory(dirname(path));
  }

  async purge(block: QuarantinedBlock): Promise<void> {
    await rm(this.#directory.quarantinePath(block), { force: true });
  }

  async remove(block: BlockInfo): Promise<void> {
    const path = this.#directory.blockPath(block.hash);
    await rm(path, { force: true });
    await syncDirectory(dirname(path));
  }

  /** Each block has a file of its own, whose room is free when it is deleted. */
  async reclaim(): Promise<boolean> {
    return false;
  }
}
