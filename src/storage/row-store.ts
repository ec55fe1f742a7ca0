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

/** What the rows may hold. It is the namespace's feature level, which says what each format adds. */
export const FIRST_ROW_FORMAT = 1;
export const NEWEST_ROW_FORMAT = 3;

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

export interface CopyOptions {
  /** Awaited after each step with the bytes it copied, to slow the copying down. */
  readonly pace?: (bytes: number) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** The tables at one moment. Dispose of it soon: until then the store's files keep what is overwritten. */
export interface PinnedRows extends AsyncDisposable {
  /** As RowStore.scan. */
  scan(table: TableName, from: string, to: string, limit: number): Promise<Row[]>;
  /** Writes all tables to a new file at `path`, there only once it is whole. Not fsynced: importFrom does that. */
  copyTo(path: string, options?: CopyOptions): Promise<void>;
}

/** Any failed write latches: every later call rejects with STORAGE_FAILED until the store is opened anew. */
export interface RowStore {
  /** Values in the order of `keys`; undefined where there is no row. */
  getMany(table: TableName, keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /** Rows with from <= key < to in key order, at most `limit`. */
  scan(table: TableName, from: string, to: string, limit: number): Promise<Row[]>;
  /** All changes in one durable transaction. Later changes to the same row win. */
  write(changes: readonly RowChange[]): Promise<void>;
  /**
   * Marks the rows, durably, as ones that only code which knows `format` may open; never lowers the mark. A new store
   * has FIRST_ROW_FORMAT. Copies carry the mark.
   */
  raiseFormat(format: number): Promise<void>;
  /** Holds on to the tables as they are now. Neither reads nor writes wait for it. */
  pin(): Promise<PinnedRows>;
  /** Rejects with STORAGE_CORRUPT_IMPORT or STORAGE_WRONG_FORMAT unless the file at `path` is one that copyTo made. */
  verify(path: string): Promise<void>;
  /**
   * Atomically replaces everything with the verified file at `path`, which is on the same file system and is used up: it
   * becomes the store. A crash leaves either the old tables and the file, or the new tables.
   */
  importFrom(path: string): Promise<void>;
  close(): Promise<void>;
}
