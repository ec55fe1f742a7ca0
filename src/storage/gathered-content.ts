/** @module A file written through the page cache: buffers are gathered, and written without a copy of ours. */
import type { FileHandle } from 'node:fs/promises';
import { type Left, MIB } from '../common/bytes.ts';
import { type FileContent, writeWhole } from './file-content.ts';

/** Bytes gathered before they are handed to the disk in one call. */
const GATHER_BYTES = MIB;
/** Most buffers that one writev takes (IOV_MAX of Linux). */
const MAX_GATHERED_BUFFERS = 1024;

interface Gathered {
  readonly bytes: Uint8Array;
  readonly left: Left | undefined;
}

export class GatheredContent implements FileContent {
  readonly #handle: FileHandle;
  #gathered: Gathered[] = [];
  #gatheredBytes = 0;
  #position = 0;
  /** One write is under way while the next is gathered; so at most twice GATHER_BYTES (and one caller's buffer) wait. */
  #writing: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array, left?: Left): Promise<void> {
    this.#gathered.push({ bytes, left });
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes >= GATHER_BYTES || this.#gathered.length >= MAX_GATHERED_BUFFERS)
      await this.#flush();
  }

  async end(): Promise<void> {
    await this.#flush();
    await this.#writing;
  }

  async giveUp(): Promise<void> {
    await Promise.allSettled([this.#writing]);
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
    await writeWhole(
      this.#handle,
      gathered.map(({ bytes }) => bytes),
      position,
    );
    for (const { left } of gathered) left?.();
  }
}
