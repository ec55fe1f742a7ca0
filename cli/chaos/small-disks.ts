/** @module A small disk for each node, so that it can be full without filling the machine's. */
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { system, works } from './system-command.ts';

export interface SmallDisksOptions {
  readonly directory: string;
  readonly diskSizeBytes: number;
}

const FILLER = 'filler-of-chaos';
const CHUNK_BYTES = 1024 * 1024;
/** The last free bytes go in steps as small as a page, or something would still fit. */
const SMALLEST_BYTES = 4096;

export class SmallDisks {
  readonly #diskSizeBytes: number;
  readonly #mounted = new Map<string, string>();

  private constructor(diskSizeBytes: number) {
    this.#diskSizeBytes = diskSizeBytes;
  }

  /** Undefined where nothing may be mounted. */
  static async open({ directory, diskSizeBytes }: SmallDisksOptions): Promise<SmallDisks | undefined> {
    const probe = join(directory, 'probe-of-mount');
    await mkdir(probe, { recursive: true });
    if (!(await works('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', probe))) return undefined;
    await system('umount', probe);
    return new SmallDisks(diskSizeBytes);
  }

  async add(name: string, directory: string): Promise<void> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await system('mount', '-t', 'tmpfs', '-o', `size=${this.#diskSizeBytes},mode=700`, 'tmpfs', directory);
    this.#mounted.set(name, directory);
  }

  /** Until not one more page fits. */
  async fill(name: string): Promise<void> {
    await using file = await open(this.#filler(name), 'a');
    for (let chunk = CHUNK_BYTES; chunk >= SMALLEST_BYTES; )
      try {
        const { bytesWritten } = await file.write(Buffer.alloc(chunk));
        if (bytesWritten < chunk) chunk /= 2;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        chunk /= 2;
      }
  }

  async empty(name: string): Promise<void> {
    await rm(this.#filler(name), { force: true });
  }

  async remove(): Promise<void> {
    // Lazily, since a process that was killed a moment ago may still be on its way out.
    for (const directory of this.#mounted.values()) await works('umount', '-l', directory);
    this.#mounted.clear();
  }

  #filler(name: string): string {
    return join(this.#mounted.get(name) ?? '', FILLER);
  }
}
