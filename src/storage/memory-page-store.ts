/** @module The page store in memory: for tests and the simulator, with the room of a disk, its delays and its faults. */
import { corruptPage, storageFull } from './errors.ts';
import {
  firstBadPage,
  PAGE_SIZE_BYTES,
  type PagePlace,
  type PageRun,
  type PageStore,
  sealPages,
} from './page-store.ts';

const PATH = 'memory';

export interface MemoryPageStoreOptions {
  readonly maxBytes?: number;
  /** Before each read and write; rejects when the disk fails. */
  readonly pause?: (action: 'read' | 'write') => Promise<void>;
}

interface MemoryRun extends PageRun {
  readonly number: number;
}

export class MemoryPageStore implements PageStore {
  readonly #options: MemoryPageStoreOptions;
  readonly #pages = new Map<PageRun, Uint8Array>();
  #runs = 0;

  constructor(options: MemoryPageStoreOptions = {}) {
    this.#options = options;
  }

  get usedBytes(): number {
    let pages = 0;
    for (const run of this.#pages.keys()) pages += run.pages;
    return pages * PAGE_SIZE_BYTES;
  }

  /** Pages of runs that are there, for tests that damage them. */
  get contents(): readonly Uint8Array[] {
    return [...this.#pages.values()];
  }

  async write(pages: Uint8Array): Promise<PageRun> {
    await this.#options.pause?.('write');
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#options;
    const freeBytes = maxBytes - this.usedBytes;
    if (pages.byteLength > freeBytes) throw storageFull(PATH, pages.byteLength, freeBytes);
    const run: MemoryRun = { pages: pages.byteLength / PAGE_SIZE_BYTES, number: ++this.#runs };
    sealPages(pages, run.number);
    this.#pages.set(run, Uint8Array.from(pages));
    return run;
  }

  async read(run: PageRun, first: number, count: number): Promise<Uint8Array> {
    await this.#options.pause?.('read');
    return this.#copy(run, first, count);
  }

  async readEach(places: readonly PagePlace[]): Promise<readonly (Uint8Array | Error)[]> {
    return Promise.all(
      places.map(({ run, page }) => this.read(run, page, 1).catch((error: unknown) => error as Error)),
    );
  }

  free(run: PageRun): void {
    if (!this.#pages.delete(run)) throw new Error('Invariant broken: a run of pages was freed twice');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pages.clear();
  }

  #copy(run: PageRun, first: number, count: number): Uint8Array {
    const bytes = this.#pages.get(run)?.slice(first * PAGE_SIZE_BYTES, (first + count) * PAGE_SIZE_BYTES);
    const isThere = bytes?.byteLength === count * PAGE_SIZE_BYTES;
    const bad = isThere ? firstBadPage(bytes, (run as MemoryRun).number, first) : first;
    if (bytes === undefined || bad !== undefined) throw corruptPage(PATH, bad ?? first);
    return bytes;
  }
}
