/** @module The namespace's rows on a simulated disk: transactions that are there whole after a crash, or not at all. */
import type { HoldfastError } from '../../src/common/errors.ts';
import { corruptRows, storageClosed } from '../../src/storage/errors.ts';
import type { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { PinnedRows, Row, RowChange, RowStore, TableName } from '../../src/storage/row-store.ts';
import type { DiskQueue } from './disk-queue.ts';

export interface SimulatedRowStoreComponents {
  /** What is on the disk; outlives the processes. */
  readonly rows: MemoryRowStore;
  readonly queue: DiskQueue;
  /** Pages of the file no longer have the checksum they were written with. */
  readonly isRotten?: () => boolean;
}

const NAME = 'namespace.db';

/** The rows as one run of a process has them open. */
export class SimulatedRowStore implements RowStore {
  readonly #rows: MemoryRowStore;
  readonly #queue: DiskQueue;
  readonly #isRotten: () => boolean;
  readonly #damaged = Promise.withResolvers<HoldfastError>();
  #isClosed = false;

  constructor({ rows, queue, isRotten = () => false }: SimulatedRowStoreComponents) {
    this.#rows = rows;
    this.#isRotten = isRotten;
    this.#queue = queue;
  }

  /** Resolves with STORAGE_CORRUPT_ROWS when rows turn out to be unreadable. */
  get damaged(): Promise<HoldfastError> {
    return this.#damaged.promise;
  }

  async getMany(table: TableName, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    this.#checkOpen();
    return this.#rows.getMany(table, keys);
  }

  async scan(table: TableName, from: string, to: string, limit: number): Promise<Row[]> {
    this.#checkOpen();
    return this.#rows.scan(table, from, to, limit);
  }

  async write(changes: readonly RowChange[]): Promise<void> {
    this.#checkOpen();
    await this.#queue.write(() => void this.#rows.write(changes));
  }

  async raiseFormat(): Promise<void> {
    this.#checkOpen();
    await this.#queue.write(() => void this.#rows.raiseFormat());
  }

  async pin(): Promise<PinnedRows> {
    this.#checkOpen();
    return this.#rows.pin();
  }

  verify(path: string): Promise<void> {
    return this.#rows.verify(path);
  }

  /** A rename, and a crash on either side of it. */
  async importFrom(path: string): Promise<void> {
    this.#checkOpen();
    await this.#queue.write(() => {});
    await this.#rows.importFrom(path);
    await this.#queue.write(() => {});
  }

  /** The disk keeps them; only this run is done with it. */
  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw storageClosed(NAME);
    if (!this.#isRotten()) return;
    const error = corruptRows('read rows', NAME, new Error('a page has a bad checksum'));
    this.#damaged.resolve(error);
    throw error;
  }
}
