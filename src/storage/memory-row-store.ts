/** @module The row store without a disk, for tests and simulations. */
import { corruptImport, storageClosed } from './errors.ts';
import { type Files, systemFiles } from './files.ts';
import {
  type CopyOptions,
  type PinnedRows,
  TABLES,
  type Row,
  type RowChange,
  type RowStore,
  type TableName,
} from './row-store.ts';
import { compareUtf8 } from './utf8-order.ts';

const NAME = 'memory';
type Tables = Map<TableName, Map<string, Uint8Array>>;
type ExportedRow = readonly [table: TableName, key: string, valueBase64: string];

/** Behaves as SqliteRowStore does, but forgets everything; its exported files only it can read. */
export class MemoryRowStore implements RowStore {
  readonly #files: Files;
  #tables: Tables = emptyTables();
  #closed = false;

  constructor(files: Files = systemFiles) {
    this.#files = files;
  }

  async getMany(table: TableName, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const rows = this.#rows(table);
    return keys.map((key) => rows.get(key));
  }

  async scan(table: TableName, from: string, to: string, limit: number): Promise<Row[]> {
    return scanMap(this.#rows(table), from, to, limit);
  }

  async write(changes: readonly RowChange[]): Promise<void> {
    for (const { table, key, value } of changes) {
      const rows = this.#rows(table);
      if (value === undefined) rows.delete(key);
      else rows.set(key, new Uint8Array(value));
    }
  }

  /** No other code can ever open these rows. */
  async raiseFormat(): Promise<void> {
    this.#rows('meta');
  }

  async pin(): Promise<PinnedRows> {
    this.#rows('meta');
    const tables: Tables = new Map([...this.#tables].map(([table, rows]) => [table, new Map(rows)]));
    return new MemoryPinnedRows(this.#files, tables);
  }

  async verify(path: string): Promise<void> {
    await readExport(this.#files, path);
  }

  async importFrom(path: string): Promise<void> {
    const imported = emptyTables();
    for (const [table, key, value] of await readExport(this.#files, path))
      imported.get(table)?.set(key, new Uint8Array(Buffer.from(value, 'base64')));
    this.#rows('meta');
    this.#tables = imported;
    await this.#files.remove(path);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /** An image of the disk, as it were: it shares nothing with this store but its files. */
  clone(): MemoryRowStore {
    const twin = new MemoryRowStore(this.#files);
    // Values are replaced, never changed.
    twin.#tables = new Map([...this.#tables].map(([table, rows]) => [table, new Map(rows)]));
    return twin;
  }

  #rows(table: TableName): Map<string, Uint8Array> {
    const rows = this.#tables.get(table);
    if (this.#closed || rows === undefined) throw storageClosed(NAME);
    return rows;
  }
}

class MemoryPinnedRows implements PinnedRows {
  readonly #files: Files;
  readonly #tables: Tables;

  constructor(files: Files, tables: Tables) {
    this.#files = files;
    this.#tables = tables;
  }

  async scan(table: TableName, from: string, to: string, limit: number): Promise<Row[]> {
    return scanMap(this.#tables.get(table) ?? new Map(), from, to, limit);
  }

  async copyTo(path: string, { pace, signal }: CopyOptions = {}): Promise<void> {
    const rows: ExportedRow[] = [];
    for (const [table, values] of this.#tables)
      for (const [key, value] of values) rows.push([table, key, Buffer.from(value).toString('base64')]);
    const text = JSON.stringify(rows);
    await pace?.(text.length);
    signal?.throwIfAborted();
    await using file = await this.#files.grow(path);
    await file.truncate(0);
    await file.write(Buffer.from(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tables.clear();
  }
}

function scanMap(rows: ReadonlyMap<string, Uint8Array>, from: string, to: string, limit: number): Row[] {
  const found: Row[] = [];
  for (const [key, value] of rows)
    if (compareUtf8(from, key) <= 0 && compareUtf8(key, to) < 0) found.push({ key, value });
  return found.toSorted((a, b) => compareUtf8(a.key, b.key)).slice(0, limit);
}

function emptyTables(): Tables {
  return new Map(TABLES.map((table) => [table, new Map<string, Uint8Array>()]));
}

async function readExport(files: Files, path: string): Promise<readonly ExportedRow[]> {
  const parts: Uint8Array[] = [];
  for await (const part of files.read(path)) parts.push(part);
  const text = Buffer.concat(parts).toString('utf8');
  try {
    return JSON.parse(text) as readonly ExportedRow[];
  } catch (cause) {
    throw corruptImport(path, `not an export of this store: ${String(cause)}`);
  }
}
