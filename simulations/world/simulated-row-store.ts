/** @module The namespace's rows on a simulated disk: transactions that are there whole after a crash, or not at all. */
import type { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { PinnedRows, Row, RowChange, RowStore, TableName } from '../../src/storage/row-store.ts';
import type { DiskQueue } from './disk-queue.ts';

export interface SimulatedRowStoreComponents {
  /** What is on the disk; outlives the processes. */
  readonly rows: MemoryRowStore;
  readonly queue: DiskQueue;
}

/** The rows as one run of a process has them open. */
export class SimulatedRowStore implements RowStore {
  readonly #rows: MemoryRowStore;
  readonly #queue: DiskQueue;

  constructor({ rows, queue }: SimulatedRowStoreComponents) {
    this.#rows = rows;
    this.#queue = queue;
  }

  getMany(table: TableName, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#rows.getMany(table, keys);
  }

  scan(table: TableName, from: string, to: string, limit: number): Promise<Row[]> {
    return this.#rows.scan(table, from, to, limit);
  }

  async write(changes: readonly RowChange[]): Promise<void> {
    await this.#queue.write(() => void this.#rows.write(changes));
  }

  async raiseFormat(): Promise<void> {
    await this.#queue.write(() => void this.#rows.raiseFormat());
  }

  pin(): Promise<PinnedRows> {
    return this.#rows.pin();
  }

  verify(path: string): Promise<void> {
    return this.#rows.verify(path);
  }

  /** A rename, and a crash on either side of it. */
  async importFrom(path: string): Promise<void> {
    await this.#queue.write(() => {});
    await this.#rows.importFrom(path);
    await this.#queue.write(() => {});
  }

  /** The disk keeps them; only this run is done with it. */
  async close(): Promise<void> {}
}
