/**
 * @module A directory of files that may be lost at any time: put whole into place by a rename, and removed when it is full,
 * those that were not used longest first. Any number of processes may share it; nothing is locked.
 */
import { type FileHandle, open, readFile, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../common/clock.ts';
import { toHex } from '../../common/bytes.ts';
import type { Random } from '../../common/random.ts';
import { isSystemError } from '../../storage/durable-file.ts';
import { makeDirectory } from '../../storage/make-directory.ts';
import { CacheRoom } from './cache-room.ts';

export interface CacheShelfComponents {
  readonly clock: Clock;
  readonly random: Random;
}

export interface CacheShelfOptions {
  /** Made when the first file comes, with those above it. */
  readonly directory: string;
  /** Bytes that the files may take together. */
  readonly sizeBytes: number;
}

/** A file that is not there yet. Order: commit() or abandon(), once. */
export interface CacheDraft {
  /** Puts the file into its place, unless the shelf was emptied since the draft was begun. */
  commit(pieces: readonly Uint8Array[]): Promise<void>;
  abandon(): Promise<void>;
}

const DRAFT_SUFFIX = '.new';
const EMPTIED_INFIX = '.emptied-';
const LOT_BYTES = 8;
/** What is in it belongs to whoever may read the cluster's files. */
const PRIVATE_FILE_MODE = 0o600;
const PRIVATE_DIRECTORY_MODE = 0o700;
const MS_PER_SECOND = 1000;

/** Errors are those of the file system. Names are plain file names. */
export class CacheShelf {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #options: CacheShelfOptions;
  readonly #room: CacheRoom;
  /** One file of this process is written at a time, so that the room is counted rightly. */
  #writing: Promise<void> = Promise.resolve();

  constructor({ clock, random }: CacheShelfComponents, options: CacheShelfOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#options = options;
    this.#room = new CacheRoom({ clock }, { ...options, draftSuffix: DRAFT_SUFFIX });
  }

  /** All of the file, which counts as used now; undefined when it is not there. Not verified. */
  async read(name: string): Promise<Buffer | undefined> {
    const path = join(this.#options.directory, name);
    try {
      const bytes = await readFile(path);
      const nowS = this.#clock.wallMs() / MS_PER_SECOND;
      await utimes(path, nowS, nowS);
      return bytes;
    } catch (error) {
      // Never there, or removed by another process for want of room.
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async drop(name: string): Promise<void> {
    await rm(join(this.#options.directory, name), { force: true });
  }

  async draft(name: string): Promise<CacheDraft> {
    const path = join(this.#options.directory, name);
    const draft = `${path}.${this.#lot()}${DRAFT_SUFFIX}`;
    const handle = await this.#create(draft);
    const abandon = async (): Promise<void> => {
      await handle.close();
      await rm(draft, { force: true });
    };
    const commit = async (pieces: readonly Uint8Array[]): Promise<void> => {
      try {
        if (await this.#room.make(bytesOf(pieces))) await handle.writeFile(pieces);
        else return await abandon();
        await handle.close();
        await rename(draft, path);
      } catch (error) {
        await abandon();
        // The directory was emptied meanwhile, and the draft with it.
        if (!isSystemError(error, 'ENOENT')) throw error;
      }
    };
    return { abandon, commit: (pieces) => this.#afterOthers(() => commit(pieces)) };
  }

  /** Everything goes in one step, and drafts of all processes with it. */
  async empty(): Promise<void> {
    const emptied = `${this.#options.directory}${EMPTIED_INFIX}${this.#lot()}`;
    try {
      await rename(this.#options.directory, emptied);
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return;
      throw error;
    }
    await rm(emptied, { recursive: true, force: true });
  }

  async #create(path: string): Promise<FileHandle> {
    try {
      return await open(path, 'wx', PRIVATE_FILE_MODE);
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
      await makeDirectory(this.#options.directory, PRIVATE_DIRECTORY_MODE);
      return open(path, 'wx', PRIVATE_FILE_MODE);
    }
  }

  #afterOthers(work: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(work);
    // Its failure is told to who began it.
    this.#writing = done.catch(() => {});
    return done;
  }

  #lot(): string {
    return toHex(this.#random.bytes(LOT_BYTES));
  }
}

function bytesOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
}
