/** @module The tables of a row store at one moment: a read transaction on a connection of its own. */
import { open, rename, rm } from 'node:fs/promises';
import { storageFailed } from './errors.ts';
import type { CopyOptions, PinnedRows, Row, TableName } from './row-store.ts';
import { scanRows } from './scan-rows.ts';
import { SqliteConnection } from './sqlite.ts';

/** As much as a disk takes in some ten milliseconds. */
const SYNC_BYTES: number = 8 * 1024 * 1024;

/** Neither reads nor writes wait for it, but the WAL of the store grows until it is disposed of. */
export class SqlitePinnedRows implements PinnedRows {
  readonly #path: string;
  readonly #connection: SqliteConnection;
  readonly #released = Promise.withResolvers<void>();

  /** The moment is when this resolves: all writes committed before are seen, none that begins later. */
  static async open(path: string): Promise<SqlitePinnedRows> {
    const connection = await SqliteConnection.openReader(path);
    try {
      await connection.run('BEGIN');
      // BEGIN alone promises nothing: it is the first read that takes the snapshot.
      await connection.all('SELECT count(*) FROM sqlite_schema');
      return new SqlitePinnedRows(path, connection);
    } catch (cause) {
      await connection.close();
      throw storageFailed('read all tables', path, cause);
    }
  }

  private constructor(path: string, connection: SqliteConnection) {
    this.#path = path;
    this.#connection = connection;
  }

  /** Resolves when it is disposed of. */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  async scan(table: TableName, from: string, to: string, limit: number): Promise<Row[]> {
    try {
      return await scanRows(this.#connection, table, from, to, limit);
    } catch (cause) {
      throw storageFailed('read rows', this.#path, cause);
    }
  }

  async copyTo(path: string, options: CopyOptions = {}): Promise<void> {
    const partial = `${path}.partial`;
    try {
      await rm(partial, { force: true });
      await this.#backUp(partial, options);
      await rename(partial, path);
    } catch (cause) {
      await rm(partial, { force: true });
      options.signal?.throwIfAborted();
      throw storageFailed(`copy the tables of ${this.#path}`, path, cause);
    }
  }

  /** Writes the pages out as it goes: the kernel would do it when somebody else on this disk asks for an fsync. */
  async #backUp(path: string, { pace, signal }: CopyOptions): Promise<void> {
    await using file = await open(path, 'a');
    let unsynced = 0;
    await this.#connection.backup(path, {
      ...(signal && { signal }),
      async pace(bytes) {
        unsynced += bytes;
        if (unsynced >= SYNC_BYTES) {
          await file.datasync();
          unsynced = 0;
        }
        await pace?.(bytes);
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#connection.close();
    } finally {
      this.#released.resolve();
    }
  }
}
