/** @module Writing one block file: streamed under a temporary name, durable and renamed at the end. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Left, MIB } from '../common/bytes.ts';
import { encodeTail } from './block-file.ts';
import type { ShelfWriter } from './block-shelf.ts';
import type { NewBlock } from './block-store.ts';
import { syncDirectory } from './durable-file.ts';

/** Bytes gathered before they are handed to the disk in one call. */
const GATHER_BYTES = MIB;
/** Most buffers that one writev takes (IOV_MAX of Linux). */
const MAX_GATHERED_BUFFERS = 1024;

interface Gathered {
  readonly bytes: Uint8Array;
  readonly left: Left | undefined;
}

export class BlockFileWriter implements ShelfWriter {
  readonly #block: NewBlock;
  readonly #temporary: string;
  readonly #path: string;
  readonly #handle: FileHandle;
  #gathered: Gathered[] = [];
  #gatheredBytes = 0;
  #position = 0;
  /** One write is under way while the next is gathered; so at most twice GATHER_BYTES (and one caller's buffer) wait. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(block: NewBlock, temporary: string, path: string, handle: FileHandle) {
    this.#block = block;
    this.#temporary = temporary;
    this.#path = path;
    this.#handle = handle;
  }

  static async open(block: NewBlock, temporary: string, path: string): Promise<BlockFileWriter> {
    return new BlockFileWriter(block, temporary, path, await open(temporary, 'wx', 0o600));
  }

  async write(bytes: Uint8Array, left?: Left): Promise<void> {
    this.#gathered.push({ bytes, left });
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes >= GATHER_BYTES || this.#gathered.length >= MAX_GATHERED_BUFFERS)
      await this.#flush();
  }

  /** Ends the file with CRCs and trailer and makes it durable, still under its temporary name. */
  async finish(crcs: readonly number[]): Promise<void> {
    await this.write(encodeTail(this.#block, crcs));
    await this.#flush();
    await this.#writing;
    await this.#handle.datasync();
    await this.#handle.close();
  }

  /** Gives the finished file its name, durably. */
  async publish(): Promise<void> {
    await rename(this.#temporary, this.#path);
    await syncDirectory(dirname(this.#path));
  }

  /** Removes the temporary file, if it is still there. Closing a handle waits for what is under way on it. */
  async discard(): Promise<void> {
    await Promise.allSettled([this.#writing]);
    await this.#handle.close();
    await rm(this.#temporary, { force: true });
  }

  async #flush(): Promise<void> {
    await this.#writing;
    if (this.#gatheredBytes === 0) return;
    this.#writing = this.#writeGathered(this.#gathered, this.#position);
    // Whoever waits for #writing next gets the error; until then nobody does.
    this.#writing.catch(() => undefined);
    this.#position += this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
  }

  async #writeGathered(gathered: readonly Gathered[], position: number): Promise<void> {
    await this.#writeOut(
      gathered.map(({ bytes }) => bytes),
      position,
    );
    for (const { left } of gathered) left?.();
  }

  async #writeOut(buffers: Uint8Array[], position: number): Promise<void> {
    const wanted = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    const { bytesWritten } = await this.#handle.writev(buffers, position);
    // A short write is how a disk that fills up shows first; the rest says why.
    if (bytesWritten < wanted) {
      const rest = Buffer.concat(buffers).subarray(bytesWritten);
      await this.#writeOut([rest], position + bytesWritten);
    }
  }
}
