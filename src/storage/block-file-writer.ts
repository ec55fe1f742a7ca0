/** @module Writing one block file: streamed under a temporary name, durable and renamed at the end. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Left } from '../common/bytes.ts';
import { encodeTail } from './block-file.ts';
import type { ShelfWriter } from './block-shelf.ts';
import type { NewBlock } from './block-store.ts';
import { DirectContent } from './direct-content.ts';
import { type DirectMemory, SLOT_BYTES } from './direct-memory.ts';
import { syncDirectory } from './durable-file.ts';
import type { FileContent } from './file-content.ts';
import { GatheredContent } from './gathered-content.ts';

export interface BlockFilePaths {
  readonly temporary: string;
  readonly path: string;
}

export class BlockFileWriter implements ShelfWriter {
  readonly #block: NewBlock;
  readonly #paths: BlockFilePaths;
  readonly #handle: FileHandle;
  readonly #content: FileContent;

  private constructor(block: NewBlock, paths: BlockFilePaths, handle: FileHandle, content: FileContent) {
    this.#block = block;
    this.#paths = paths;
    this.#handle = handle;
    this.#content = content;
  }

  static async open(block: NewBlock, paths: BlockFilePaths, memory: DirectMemory): Promise<BlockFileWriter> {
    const handle = await open(paths.temporary, 'wx', 0o600);
    const lease = block.sizeBytes >= SLOT_BYTES ? memory.lease() : undefined;
    const content =
      lease === undefined ? new GatheredContent(handle) : new DirectContent(handle, paths.temporary, lease);
    return new BlockFileWriter(block, paths, handle, content);
  }

  write(bytes: Uint8Array, left?: Left): Promise<void> {
    return this.#content.write(bytes, left);
  }

  /** Ends the file with CRCs and trailer and makes it durable, still under its temporary name. */
  async finish(crcs: readonly number[]): Promise<void> {
    await this.#content.write(encodeTail(this.#block, crcs));
    await this.#content.end();
    await this.#handle.datasync();
    await this.#handle.close();
  }

  /** Gives the finished file its name, durably. */
  async publish(): Promise<void> {
    await rename(this.#paths.temporary, this.#paths.path);
    await syncDirectory(dirname(this.#paths.path));
  }

  /** Removes the temporary file, if it is still there. Closing a handle waits for what is under way on it. */
  async discard(): Promise<void> {
    await this.#content.giveUp();
    await this.#handle.close();
    await rm(this.#paths.temporary, { force: true });
  }
}
