/** @module Ordered tables of small rows: where the namespace lives between restarts. */

/** Tables of the namespace. A key is text, ordered by its UTF-8 bytes. */
export const TABLES = [
  'meta',
  'inode',
  'dirent',
  'extent',
  'block',
  'lease',
  'orphan',
  'garbage',
  'session',
  'result',
  'member',
  'token',
  'deadline',
] as const;
export type TableName = (typeof TABLES)[number];

export interface RowChange {
  readonly table: TableName;
  readonly key: string;
  /** Absent: the row is deleted. */
  readonly value?: Uint8Array;
}

export interface Row {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Any failed write latches: every later call rejects with STORAGE_FAILED until the store is opened anew. */
export interface RowStore {
  /** Values in the order of `keys`; undefined where there is no row. */
  getMany(table: TableName, keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /** Rows with from <= key < to in key order, at most `limit`. */
  scan(table: TableName, from: string, to: string, limit: number): Promise<Row[]>;
  /** All changes in one durable transaction. Later changes to the same row win. */
  write(changes: readonly RowChange[]): Promise<void>;
  /** Writes a consistent copy of all tables to a new file at `path` without blocking writers or the event loop. */
  exportTo(path: string): Promise<void>;
  /** Atomically replaces everything with the file at `path` (made by exportTo, already verified); survives a crash at any point. */
  importFrom(path: string): Promise<void>;
  close(): Promise<void>;
}
