/** @module The row store on SQLite: one table per TableName, a writer and a reader connection on one file. */
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isHoldfastError } from '../common/errors.ts';
import { deleteKeys, insertRows } from './bulk-sql.ts';
import { syncDirectory, syncFile } from './durable-file.ts';
import { FailureLatch, storageClosed, storageFailed } from './errors.ts';
import { GatheredReads } from './gathered-reads.ts';
import { discardIncoming, prepareReplacement, replaceDatabase } from './row-file-replacement.ts';
import { TABLES, type Row, type RowChange, type RowStore, type TableName } from './row-store.ts';
import { SqliteConnection, type Sql, type SqliteOptions } from './sqlite.ts';

const FORMAT: SqliteOptions = {
  format: 1,
  schema: TABLES.map(
    (table) => `CREATE TABLE "${table}" (key TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) WITHOUT ROWID`,
  ),
};

interface Connections {
  readonly writer: SqliteConnection;
  readonly reader: SqliteConnection;
  readonly rows: GatheredReads;
}

/** Opens or creates the tables in the SQLite file at `path`; its directory must exist. Errors: STORAGE_FAILED, STORAGE_WRONG_FORMAT. */
export async function openRowStore(path: string): Promise<RowStore> {
  try {
    await discardIncoming(path);
    return new SqliteRowStore(path, await openConnections(path));
  } catch (error) {
    throw isHoldfastError(error) ? error : storageFailed('open the tables', path, error);
  }
}

/** Reads do not wait behind writes. Keys compare by UTF-8 bytes, which is SQLite's BINARY collation. */
export class SqliteRowStore implements RowStore {
  readonly #path: string;
  readonly #latch = new FailureLatch();
  /** Pending while importFrom swaps the file: calls made meanwhile go to the new one. */
  #connections: Promise<Connections>;
  readonly #users = new Set<Promise<unknown>>();
  /** Copies in and out exclude each other: the swap needs every connection to the old file closed. */
  #copying: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(path: string, connections: Connections) {
    this.#path = path;
    this.#connections = Promise.resolve(connections);
  }

  async getMany(table: TableName, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const values = await this.#read(({ rows }) => rows.get(table, keys));
    return keys.map((key) => values.get(key));
  }

  async scan(table: TableName, from: string, to: string, limit: number): Promise<Row[]> {
    const text = `SELECT key, value FROM "${table}" WHERE key >= ? AND key < ? ORDER BY key LIMIT ?`;
    const rows = await this.#read(({ reader }) => reader.all(text, [from, to, limit]));
    return rows.map((row) => ({ key: row['key'] as string, value: row['value'] as Uint8Array }));
  }

  async write(changes: readonly RowChange[]): Promise<void> {
    await this.#use(async ({ writer }) => {
      try {
        await writer.transaction((sql) => applyChanges(sql, changes));
      } catch (cause) {
        throw this.#latch.fail(`write ${changes.length} rows`, this.#path, cause);
      }
    });
  }

  /** The copy appears under its name only once it is whole and durable. */
  exportTo(path: string): Promise<void> {
    return this.#copy(() => this.#use(() => exportDatabase(this.#path, path)));
  }

  /** Errors: STORAGE_CORRUPT_IMPORT, STORAGE_WRONG_FORMAT (nothing replaced), STORAGE_FAILED (latched). */
  importFrom(path: string): Promise<void> {
    return this.#copy(async () => {
      await this.#use(() => prepareReplacement(path, this.#path, FORMAT.format));
      this.#connections = this.#swap(await this.#connections, [...this.#users]);
      await this.#connections;
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#copying;
    await Promise.allSettled(this.#users);
    const { writer, reader } = await this.#connections;
    await reader.close();
    await writer.close();
  }

  async #swap(old: Connections, users: readonly Promise<unknown>[]): Promise<Connections> {
    await Promise.allSettled(users);
    try {
      await old.reader.close();
      await old.writer.close();
      await replaceDatabase(this.#path);
      return await openConnections(this.#path);
    } catch (cause) {
      throw this.#latch.fail('replace the tables', this.#path, cause);
    }
  }

  #read<T>(body: (connections: Connections) => Promise<T>): Promise<T> {
    return this.#use(async (connections) => {
      try {
        return await body(connections);
      } catch (cause) {
        throw storageFailed('read rows', this.#path, cause);
      }
    });
  }

  /** Runs `body` on the connections of this moment, which are not closed before it has ended. */
  async #use<T>(body: (connections: Connections) => Promise<T>): Promise<T> {
    this.#latch.check();
    if (this.#closed) throw storageClosed(this.#path);
    const result = this.#connections.then(body);
    this.#users.add(result);
    try {
      return await result;
    } finally {
      this.#users.delete(result);
    }
  }

  #copy(work: () => Promise<void>): Promise<void> {
    const result = this.#copying.then(work);
    this.#copying = result.catch(() => undefined);
    return result;
  }
}

async function openConnections(path: string): Promise<Connections> {
  const writer = await SqliteConnection.open(path, FORMAT);
  try {
    const reader = await SqliteConnection.openReader(path);
    return { writer, reader, rows: new GatheredReads(reader) };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/** Has a connection of its own, so that neither reads nor writes wait for it. */
async function exportDatabase(source: string, target: string): Promise<void> {
  const partial = `${target}.partial`;
  try {
    await rm(partial, { force: true });
    await vacuumInto(source, partial);
    await syncFile(partial);
    await rename(partial, target);
    await syncDirectory(dirname(target));
  } catch (cause) {
    await rm(partial, { force: true });
    throw storageFailed(`export the tables of ${source}`, target, cause);
  }
}

async function vacuumInto(source: string, target: string): Promise<void> {
  const connection = await SqliteConnection.openReader(source);
  try {
    await connection.run('VACUUM INTO ?', [target]);
  } finally {
    await connection.close();
  }
}

/** The last change of a row wins; then one run of statements per table and kind. */
async function applyChanges(sql: Sql, changes: readonly RowChange[]): Promise<void> {
  const byTable = new Map<TableName, Map<string, Uint8Array | undefined>>();
  for (const { table, key, value } of changes) {
    const rows = byTable.get(table) ?? new Map<string, Uint8Array | undefined>();
    byTable.set(table, rows.set(key, value));
  }
  for (const [table, rows] of byTable) {
    const kept: [string, Uint8Array][] = [];
    const gone: string[] = [];
    for (const [key, value] of rows)
      if (value === undefined) gone.push(key);
      else kept.push([key, value]);
    await deleteKeys(sql, `DELETE FROM "${table}" WHERE key`, gone);
    await insertRows(sql, `INSERT OR REPLACE INTO "${table}" (key, value)`, kept);
  }
}
