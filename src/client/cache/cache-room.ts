/** @module How full a directory of cached files is, and which of them go when it is too full. */
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../common/clock.ts';
import { isSystemError } from '../../storage/durable-file.ts';

export interface CacheRoomComponents {
  readonly clock: Clock;
}

export interface CacheRoomOptions {
  readonly directory: string;
  /** Bytes that the files may take together. */
  readonly sizeBytes: number;
  /** Of files that are being written: they stay, unless whoever wrote them is surely gone. */
  readonly draftSuffix: string;
}

interface CachedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly usedMs: number;
  readonly isDraft: boolean;
}

/** Files take whole units of a disk. */
const DISK_UNIT_BYTES = 4_096;
/** More would take too long to count. */
const MAX_FILES = 65_536;
/** When files must go, so much of the room is made free at once: counting costs more than removing. */
const FREED_SHARE = 1 / 10;
/** Others may fill the same directory: it is counted anew when this process has added so much of the whole. */
const RECOUNT_SHARE = 1 / 16;
/** A draft that is older was left by a process that ended. */
const DRAFT_LIFETIME_MS = 3_600_000;
const LOOKS_AT_ONCE = 64;

/** Each process at work may go beyond the bound by RECOUNT_SHARE of it, since they do not know of each other. */
export class CacheRoom {
  readonly #clock: Clock;
  readonly #options: CacheRoomOptions;
  /** As of the last count; undefined before the first. */
  #counted: { readonly bytes: number; readonly files: number } | undefined;
  #addedBytes = 0;
  #addedFiles = 0;

  constructor({ clock }: CacheRoomComponents, options: CacheRoomOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Makes room for a file, which must be written before this is called again. False: it is larger than the whole room. */
  async make(fileBytes: number): Promise<boolean> {
    const bytes = onDisk(fileBytes);
    if (bytes > this.#options.sizeBytes) return false;
    if (!this.#surelyFits(bytes)) await this.#recount(bytes);
    this.#addedBytes += bytes;
    this.#addedFiles += 1;
    return true;
  }

  #surelyFits(bytes: number): boolean {
    const { sizeBytes } = this.#options;
    return (
      this.#counted !== undefined &&
      this.#counted.bytes + this.#addedBytes + bytes <= sizeBytes &&
      this.#counted.files + this.#addedFiles < MAX_FILES &&
      this.#addedBytes <= sizeBytes * RECOUNT_SHARE
    );
  }

  async #recount(comingBytes: number): Promise<void> {
    const { sizeBytes } = this.#options;
    const files = (await this.#files()).toSorted((a, b) => a.usedMs - b.usedMs);
    let bytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
    let count = files.length;
    const isFull = bytes + comingBytes > sizeBytes || count >= MAX_FILES;
    for (const file of files) {
      const isOver =
        bytes + comingBytes > sizeBytes * (1 - FREED_SHARE) || count >= MAX_FILES * (1 - FREED_SHARE);
      const isLeftOver = file.isDraft && this.#clock.wallMs() - file.usedMs > DRAFT_LIFETIME_MS;
      if (!isLeftOver && (!isFull || !isOver || file.isDraft)) continue;
      await rm(file.path, { force: true });
      bytes -= file.sizeBytes;
      count -= 1;
    }
    this.#counted = { bytes, files: count };
    this.#addedBytes = 0;
    this.#addedFiles = 0;
  }

  async #files(): Promise<readonly CachedFile[]> {
    const { directory, draftSuffix } = this.#options;
    const names = await readdir(directory);
    const files: CachedFile[] = [];
    for (let first = 0; first < names.length; first += LOOKS_AT_ONCE) {
      const looks = names.slice(first, first + LOOKS_AT_ONCE).map(async (name) => {
        const path = join(directory, name);
        const isDraft = name.endsWith(draftSuffix);
        try {
          const { size, mtimeMs } = await lstat(path);
          return { path, sizeBytes: onDisk(size), usedMs: mtimeMs, isDraft };
        } catch (error) {
          // Another process removed it meanwhile.
          if (isSystemError(error, 'ENOENT')) return undefined;
          throw error;
        }
      });
      files.push(...(await Promise.all(looks)).filter((file) => file !== undefined));
    }
    return files;
  }
}

function onDisk(bytes: number): number {
  return Math.ceil(bytes / DISK_UNIT_BYTES) * DISK_UNIT_BYTES;
}
