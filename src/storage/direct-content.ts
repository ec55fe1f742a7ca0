/** @module A file written past the page cache, a whole slot at a time; what is left at its end goes through the cache. */
import { type FileHandle, open } from 'node:fs/promises';
import type { Left } from '../common/bytes.ts';
import { type DirectLease, SLOT_BYTES } from './direct-memory.ts';
import { isSystemError } from './durable-file.ts';
import { type FileContent, writeWhole } from './file-content.ts';

export class DirectContent implements FileContent {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #lease: DirectLease;
  #isReleased = false;
  #direct: FileHandle | undefined;
  /** Of the two slots: the first is filled, up to #filledBytes, the second may be under way to the disk. */
  #slots: DirectLease['slots'];
  #filledBytes = 0;
  #position = 0;
  #writing: Promise<void> = Promise.resolve();

  /** `handle` is of the file at `path`, and stays the caller's to close. */
  constructor(handle: FileHandle, path: string, lease: DirectLease) {
    this.#handle = handle;
    this.#path = path;
    this.#lease = lease;
    this.#slots = lease.slots;
  }

  async write(bytes: Uint8Array, left?: Left): Promise<void> {
    for (let from = 0; from < bytes.length && !this.#isReleased; ) {
      const part = bytes.subarray(from, from + SLOT_BYTES - this.#filledBytes);
      this.#slots[0].set(part, this.#filledBytes);
      this.#filledBytes += part.length;
      from += part.length;
      if (this.#filledBytes === SLOT_BYTES) await this.#flush();
    }
    left?.();
  }

  async end(): Promise<void> {
    await this.#flush();
    await this.#writing;
    await this.giveUp();
  }

  async giveUp(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    await Promise.allSettled([this.#writing]);
    // It has no bytes of its own to lose: an fsync through the other handle covers them.
    await this.#direct?.close().catch(() => undefined);
    this.#lease.release();
  }

  async #flush(): Promise<void> {
    await this.#writing;
    // Given up meanwhile: the memory may be somebody else's by now, and nobody would close a handle that is opened here.
    if (this.#filledBytes === 0 || this.#isReleased) return;
    const [filled, other] = this.#slots;
    this.#writing = this.#writeOut(filled.subarray(0, this.#filledBytes), this.#position);
    // Whoever waits for #writing next gets the error; until then nobody does.
    this.#writing.catch(() => undefined);
    this.#slots = [other, filled];
    this.#position += this.#filledBytes;
    this.#filledBytes = 0;
  }

  async #writeOut(bytes: Uint8Array, position: number): Promise<void> {
    const writtenBytes = bytes.length === SLOT_BYTES ? await this.#writeDirectly(bytes, position) : 0;
    if (writtenBytes < bytes.length)
      await writeWhole(this.#handle, [bytes.subarray(writtenBytes)], position + writtenBytes);
  }

  /** Says how many of the bytes it wrote: none where the file system cannot do it, or wants other sizes and addresses. */
  async #writeDirectly(bytes: Uint8Array, position: number): Promise<number> {
    try {
      this.#direct ??= await open(this.#path, this.#lease.flags);
      const { bytesWritten } = await this.#direct.write(bytes, 0, bytes.length, position);
      return bytesWritten;
    } catch (error) {
      if (!isSystemError(error, 'EINVAL')) throw error;
      this.#lease.refuse();
      return 0;
    }
  }
}
