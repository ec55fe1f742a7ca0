/** @module The page store in a file: empty at each start, never synced, removed at the end. */
import { read } from 'node:fs';
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MIB } from '../common/bytes.ts';
import { corruptPage, storageClosed, storageFailed, storageFull } from './errors.ts';
import { type PageExtent, PageExtents } from './page-extents.ts';
import {
  firstBadPage,
  PAGE_SIZE_BYTES,
  type PagePlace,
  type PageRun,
  type PageStore,
  sealPages,
} from './page-store.ts';

/** Left free on its disk, for the log and the namespace that may be on the same. */
export const PAGE_RESERVE_BYTES: number = 1024 * MIB;
/** Reads given to Node at a time: its four threads also write the log. */
const READS_AT_ONCE = 4;
/** The file system is asked for its free bytes once in so many: others write meanwhile. */
const MAX_UNASKED_BYTES: number = 16 * MIB;
const FILE_MODE = 0o600;

export interface FilePageStoreOptions {
  /** Largest size of the file, in bytes. */
  readonly maxBytes: number;
  readonly reserveBytes?: number;
  /** Of the file system with `path`; asked before the file grows. */
  readonly freeBytes?: () => Promise<number>;
}

interface FileRun extends PageRun {
  readonly number: number;
  readonly extents: readonly PageExtent[];
}

export class FilePageStore implements PageStore {
  readonly #path: string;
  readonly #options: FilePageStoreOptions;
  readonly #extents = new PageExtents();
  readonly #live = new Set<PageRun>();
  /** What may still be taken before the file system is asked anew. */
  #unaskedBytes = 0;
  #file: Promise<FileHandle> | undefined;
  #runs = 0;
  #isClosed = false;
  #reading = 0;
  readonly #waiting: (() => void)[] = [];

  private constructor(path: string, options: FilePageStoreOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Removes what an earlier process left at `path`; the file is made with the first write. */
  static async open(path: string, options: FilePageStoreOptions): Promise<FilePageStore> {
    await rm(path, { force: true });
    return new FilePageStore(path, options);
  }

  get usedBytes(): number {
    return this.#extents.taken * PAGE_SIZE_BYTES;
  }

  async write(pages: Uint8Array): Promise<PageRun> {
    if (this.#isClosed) throw storageClosed(this.#path);
    const count = pages.byteLength / PAGE_SIZE_BYTES;
    const extents = await this.#take(count);
    const run: FileRun = { pages: count, number: ++this.#runs, extents };
    this.#live.add(run);
    sealPages(pages, run.number);
    try {
      const file = await this.#opened();
      let from = 0;
      for (const { first, count: part } of extents) {
        const end = from + part * PAGE_SIZE_BYTES;
        await writeAll(file, pages.subarray(from, end), first * PAGE_SIZE_BYTES);
        from = end;
      }
      return run;
    } catch (error) {
      this.free(run);
      throw storageFailed('write location records', this.#path, error);
    }
  }

  async read(run: PageRun, first: number, count: number): Promise<Uint8Array> {
    const { number, extents } = asFileRun(run);
    const bytes = alignedBytes(count);
    let page = 0;
    for (const extent of extents) {
      const from = Math.max(first, page);
      const end = Math.min(first + count, page + extent.count);
      if (from < end) {
        const part = bytes.subarray((from - first) * PAGE_SIZE_BYTES, (end - first) * PAGE_SIZE_BYTES);
        await this.#readInto(part, (extent.first + from - page) * PAGE_SIZE_BYTES);
      }
      page += extent.count;
    }
    const bad = firstBadPage(bytes, number, first);
    if (bad !== undefined) throw corruptPage(this.#path, bad);
    return bytes;
  }

  async readEach(places: readonly PagePlace[]): Promise<readonly (Uint8Array | Error)[]> {
    const bytes = alignedBytes(places.length);
    return Promise.all(
      places.map(async ({ run, page }, place) => {
        const { number, extents } = asFileRun(run);
        const part = bytes.subarray(place * PAGE_SIZE_BYTES, (place + 1) * PAGE_SIZE_BYTES);
        try {
          await this.#readInto(part, pageInFile(extents, page) * PAGE_SIZE_BYTES);
        } catch (error) {
          return error instanceof Error ? error : storageFailed('read location records', this.#path, error);
        }
        return firstBadPage(part, number, page) === undefined ? part : corruptPage(this.#path, page);
      }),
    );
  }

  free(run: PageRun): void {
    if (!this.#live.delete(run)) throw new Error('Invariant broken: a run of pages was freed twice');
    for (const extent of asFileRun(run).extents) this.#extents.giveBack(extent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    while (this.#reading > 0) await new Promise<void>((wake) => this.#waiting.push(wake));
    // The file is of no use to anybody, whatever became of it.
    const file = await this.#file?.catch(() => undefined);
    await file?.close();
    await rm(this.#path, { force: true });
  }

  /** Room for a run: where it fits in one piece, at the end of the file, or in whatever is free. Rejects with STORAGE_FULL. */
  async #take(count: number): Promise<readonly PageExtent[]> {
    const one = this.#extents.takeOne(count);
    if (one !== undefined) return [one];
    const wanted = count * PAGE_SIZE_BYTES;
    if (this.#unaskedBytes < wanted) this.#unaskedBytes = await this.#room();
    const room = Math.min(this.#options.maxBytes - this.#extents.end * PAGE_SIZE_BYTES, this.#unaskedBytes);
    if (wanted <= room) {
      this.#unaskedBytes = Math.min(this.#unaskedBytes, MAX_UNASKED_BYTES) - wanted;
      return [this.#extents.grow(count)];
    }
    const many = this.#extents.takeMany(count);
    if (many === undefined) throw storageFull(this.#path, wanted, Math.max(0, room));
    return many;
  }

  /** What the file may grow by without taking its reserve from others. */
  async #room(): Promise<number> {
    const { reserveBytes = PAGE_RESERVE_BYTES, freeBytes } = this.#options;
    return (await (freeBytes ?? (() => freeBytesAt(dirname(this.#path))))()) - reserveBytes;
  }

  #opened(): Promise<FileHandle> {
    this.#file ??= open(this.#path, 'w+', FILE_MODE).catch((error: unknown) => {
      this.#file = undefined;
      throw error;
    });
    return this.#file;
  }

  async #readInto(bytes: Uint8Array, position: number): Promise<void> {
    while (this.#reading >= READS_AT_ONCE) await new Promise<void>((wake) => this.#waiting.push(wake));
    this.#reading++;
    try {
      if (this.#isClosed || this.#file === undefined) throw storageClosed(this.#path);
      const { fd } = await this.#file;
      await readAll(fd, bytes, position);
    } catch (error) {
      throw storageFailed('read location records', this.#path, error);
    } finally {
      this.#reading--;
      this.#waiting.shift()?.();
    }
  }
}

/** Costs one statfs, some 20 microseconds. */
async function freeBytesAt(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

function alignedBytes(pages: number): Uint8Array {
  return Buffer.allocUnsafeSlow(pages * PAGE_SIZE_BYTES);
}

function asFileRun(run: PageRun): FileRun {
  if (!('extents' in run)) throw new Error('Invariant broken: a run of pages is of another store');
  return run as FileRun;
}

function pageInFile(extents: readonly PageExtent[], page: number): number {
  let from = 0;
  for (const { first, count } of extents) {
    if (page < from + count) return first + page - from;
    from += count;
  }
  throw new Error(`Invariant broken: a run has ${from} pages, and its page ${page} was asked for`);
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done);
    if (bytesWritten === 0) throw new Error('the disk took nothing more');
    done += bytesWritten;
  }
}

/** By callback: reads come by the thousand, and this costs half of what FileHandle.read does. */
function readAll(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (done: number): void => {
      read(fd, bytes, done, bytes.byteLength - done, position + done, (error, count) => {
        if (error !== null) reject(error);
        else if (count === 0) reject(new Error('the file ends before the page does'));
        else if (done + count < bytes.byteLength) next(done + count);
        else resolve();
      });
    };
    next(0);
  });
}
