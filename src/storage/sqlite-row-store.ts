/** @module The row store on SQLite: one table per TableName, a writer and a reader connection on one file. */
import { type HoldfastError, isHoldfastError } from '../common/errors.ts';
import { deleteKeys, insertRows } from './bulk-sql.ts';
import { corruptRows, FailureLatch, storageClosed, storageFailed } from './errors.ts';
import { GatheredReads } from './gathered-reads.ts';
import { replaceDatabase, verifyDatabase } from './row-file-replacement.ts';
import {
  FIRST_ROW_FORMAT,
  NEWEST_ROW_FORMAT,
  type PinnedRows,
  TABLES,
  type Row,
  type RowChange,
  type RowStore,
  type TableName,
} from './row-store.ts';
import { scanRows } from './scan-rows.ts';
import { isCorruption } from './sqlite-error.ts';
import { SqliteConnection } from './sqlite.ts';
import type { Sql } from './sql-database.ts';
import type { SqliteOptions } from './sqlite-format.ts';
import { SqlitePinnedRows } from './sqlite-pinned-rows.ts';
import { WalCheckpointer } from './wal-checkpointer.ts';

/**
 * SQLite's own page caches: enough for the inner pages of tables of ten million rows. All else is in the kernel's page
 * cache. Of random rows out of a million, 64 at a time, a reader gets 67,000 a second with 2 MiB, 99,000 with 8, 106,000
 * with 32 and with 128. Mapping the file (mmap_size) gives 139,000, and is not done: a disk that fails a read would then
 * end the process by SIGBUS instead of failing the read, and all of the file would count as memory of this process.
 */
const READER_CACHE_KIB = 32 * 1024;
const WRITER_CACHE_KIB = 16 * 1024;

const FORMAT: SqliteOptions = {
  format: FIRST_ROW_FORMAT,
  newestFormat: NEWEST_ROW_FORMAT,
  schema: TABLES.map(
    (table) => `CREATE TABLE "${table}" (key TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) WITHOUT ROWID`,
  ),
  pragmas: [`cache_size = -${WRITER_CACHE_KIB}`, 'wal_autocheckpoint = 0'],
};
const READER_PRAGMAS = [`cache_size = -${READER_CACHE_KIB}`];

interface Connections {
  readonly writer: SqliteConnection;
  readonly reader: SqliteConnection;
  readonly checkpointer: WalCheckpointer;
  readonly rows: GatheredReads;
}

/** Opens or creates the tables in the SQLite file at `path`; its directory must exist. Errors: STORAGE_FAILED, STORAGE_WRONG_FORMAT, STORAGE_CORRUPT_ROWS. */
export async function openRowStore(path: string): Promise<SqliteRowStore> {
  try {
    return new SqliteRowStore(path, await openConnections(path));
  } catch (error) {
    throw isHoldfastError(error) ? error : failure('open the tables', path, error);
  }
}

/** Reads do not wait behind writes. Keys compare by UTF-8 bytes, which is SQLite's BINARY collation. */
export class SqliteRowStore implements RowStore {
  readonly #path: string;
  readonly #latch = new FailureLatch();
  readonly #damaged = Promise.withResolvers<HoldfastError>();
  /** Pending while importFrom swaps the file: calls made meanwhile go to the new one. */
  #connections: Promise<Connections>;
  readonly #users = new Set<Promise<unknown>>();
  #closed = false;

  constructor(path: string, connections: Connections) {
    this.#path = path;
    this.#connections = Promise.resolve(connections);
  }

  /** Resolves with STORAGE_CORRUPT_ROWS when rows turn out to be unreadable, to which the store then latches. */
  get damaged(): Promise<HoldfastError> {
    return this.#damaged.promise;
  }

  async getMany(table: TableName, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const values = await this.#read(({ rows }) => rows.get(table, keys));
    return keys.map((key) => values.get(key));
  }

  scan(table: TableName, from: string, to: string, limit: number): Promise<Row[]> {
    return this.#read(({ reader }) => scanRows(reader, table, from, to, limit));
  }

  async write(changes: readonly RowChange[]): Promise<void> {
    await this.#use(async ({ writer, checkpointer }) => {
      try {
        await checkpointer.admit();
        await writer.transaction((sql) => applyChanges(sql, changes));
        checkpointer.committed(changes.length);
      } catch (cause) {
        throw this.#fail(`write ${changes.length} rows`, cause);
      }
    });
  }

  async raiseFormat(format: number): Promise<void> {
    await this.#use(async ({ writer }) => {
      try {
        const [row] = await writer.all('PRAGMA user_version');
        if (Number(row?.['user_version']) < format) await writer.run(`PRAGMA user_version = ${format}`);
      } catch (cause) {
        throw this.#fail(`mark the tables as format ${format}`, cause);
      }
    });
  }

  pin(): Promise<PinnedRows> {
    const pinned = Promise.withResolvers<PinnedRows>();
    this.#use(async () => {
      const rows = await SqlitePinnedRows.open(this.#path);
      pinned.resolve(rows);
      await rows.released;
    }).catch(pinned.reject);
    return pinned.promise;
  }

  verify(path: string): Promise<void> {
    return verifyDatabase(path, NEWEST_ROW_FORMAT);
  }

  /** Waits until nobody holds pinned rows. Errors: STORAGE_FAILED (latched). */
  async importFrom(path: string): Promise<void> {
    this.#latch.check();
    if (this.#closed) throw storageClosed(this.#path);
    const [old, users] = [await this.#connections, [...this.#users]];
    this.#connections = this.#swap(path, old, users);
    await this.#connections;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#users);
    await closeConnections(await this.#connections);
  }

  async #swap(path: string, old: Connections, users: readonly Promise<unknown>[]): Promise<Connections> {
    await Promise.allSettled(users);
    try {
      await closeConnections(old);
      await replaceDatabase(path, this.#path);
      return await openConnections(this.#path);
    } catch (cause) {
      throw this.#fail('replace the tables', cause);
    }
  }

  #read<T>(body: (connections: Connections) => Promise<T>): Promise<T> {
    return this.#use(async (connections) => {
      try {
        return await body(connections);
      } catch (cause) {
        throw isCorruption(cause)
          ? this.#fail('read rows', cause)
          : storageFailed('read rows', this.#path, cause);
      }
    });
  }

  #fail(action: string, cause: unknown): HoldfastError {
    const error = failure(action, this.#path, cause);
    if (error.code === 'STORAGE_CORRUPT_ROWS') this.#damaged.resolve(error);
    return this.#latch.latch(error);
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
}

function failure(action: string, path: string, cause: unknown): HoldfastError {
  return isCorruption(cause) ? corruptRows(action, path, cause) : storageFailed(action, path, cause);
}

async function openConnections(path: string): Promise<Connections> {
  const opened: SqliteConnection[] = [];
  const keep = (connection: SqliteConnection): SqliteConnection => {
    opened.push(connection);
    return connection;
  };
  try {
    const writer = keep(await SqliteConnection.open(path, FORMAT));
    const reader = keep(await SqliteConnection.openReader(path, READER_PRAGMAS));
    const checkpointer = new WalCheckpointer(keep(await SqliteConnection.open(path, FORMAT)));
    return { writer, reader, checkpointer, rows: new GatheredReads(reader) };
  } catch (error) {
    for (const connection of opened) await connection.close();
    throw error;
  }
}

async function closeConnections({ writer, reader, checkpointer }: Connections): Promise<void> {
  await checkpointer.close();
  await reader.close();
  await writer.close();
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
