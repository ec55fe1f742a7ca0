/** @module The only door to the package sqlite3: one connection, its statements as promises, never interleaved. */
import { pathToFileURL } from 'node:url';
import sqlite3 from 'sqlite3';
import { notDurable, storageClosed } from './errors.ts';
import type { Sql, SqlDatabase } from './sql-database.ts';
import { type SqlStatement, transactionScript } from './sql-script.ts';
import type { SqlRow, SqlValue } from './sql-value.ts';
import { makeTables, type SqliteOptions } from './sqlite-format.ts';
import { backUp, type BackupOptions, type BackupSource } from './sqlite-backup.ts';

/** SQLite's name for `synchronous=FULL`: the WAL is fsynced at every commit. */
const SYNCHRONOUS_FULL = 2;
/** Above this the WAL file is cut back once it has been checkpointed, in bytes. */
const WAL_SIZE_LIMIT_BYTES = 64 * 1024 * 1024;
/** How long SQLite itself waits for another connection's lock, e.g. while that one recovers or checkpoints. */
const BUSY_TIMEOUT_MS = 5_000;
/** Prepared statements kept for reuse, per connection; the longest unused goes first. */
const MAX_PREPARED_STATEMENTS = 128;

/**
 * One connection. Statements run on libuv's thread pool, one at a time and in the order asked for; a transaction has
 * the connection to itself from BEGIN to COMMIT.
 */
export class SqliteConnection implements SqlDatabase {
  readonly path: string;
  readonly #database: sqlite3.Database;
  readonly #statements = new Map<string, sqlite3.Statement>();
  #tail: Promise<unknown> = Promise.resolve();
  /** What was asked for and is not over. */
  #pending = 0;
  #closed = false;
  #transactionCount = 0;

  private constructor(path: string, database: sqlite3.Database) {
    this.path = path;
    this.#database = database;
  }

  /** Opens for writing: WAL and synchronous=FULL, both read back (STORAGE_NOT_DURABLE), tables made if new. */
  static async open(path: string, options: SqliteOptions): Promise<SqliteConnection> {
    const connection = await SqliteConnection.#connect(path, sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE);
    try {
      // Only before the first page is written, which is what journal_mode does.
      if (options.shrinks) await connection.run('PRAGMA auto_vacuum = INCREMENTAL');
      await makeDurable(connection);
      await makeTables(connection, options);
      await connection.#set(options.pragmas);
      for (const statement of options.temporary ?? []) await connection.run(statement);
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** A second connection to an existing file, for reads that must not wait behind the writer. */
  static async openReader(path: string, pragmas: readonly string[] = []): Promise<SqliteConnection> {
    const connection = await SqliteConnection.#connect(path, sqlite3.OPEN_READONLY);
    await connection.#set(pragmas);
    return connection;
  }

  /** A file that nobody else has open and nobody changes meanwhile: no lock, no WAL is looked for, none is left behind. */
  static async openImmutable(path: string): Promise<SqliteConnection> {
    const { href } = pathToFileURL(path);
    return await SqliteConnection.#connect(`${href}?immutable=1`, sqlite3.OPEN_READONLY | sqlite3.OPEN_URI);
  }

  static async #connect(path: string, mode: number): Promise<SqliteConnection> {
    const database = await new Promise<sqlite3.Database>((resolve, reject) => {
      const opened: sqlite3.Database = new sqlite3.Database(path, mode, (error) =>
        error ? reject(error) : resolve(opened),
      );
    });
    database.configure('busyTimeout', BUSY_TIMEOUT_MS);
    return new SqliteConnection(path, database);
  }

  get transactionCount(): number {
    return this.#transactionCount;
  }

  all(text: string, values: readonly SqlValue[] = []): Promise<SqlRow[]> {
    return this.#alone(() => this.#all(text, values));
  }

  run(text: string, values: readonly SqlValue[] = []): Promise<void> {
    return this.#alone(() => this.#run(text, values));
  }

  transaction<T>(body: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#alone(async () => {
      await this.#run('BEGIN IMMEDIATE', []);
      try {
        const result = await body({
          all: (text, values = []) => this.#all(text, values),
          run: (text, values = []) => this.#run(text, values),
        });
        await this.#run('COMMIT', []);
        this.#transactionCount += 1;
        return result;
      } catch (error) {
        await this.#rollback();
        throw error;
      }
    });
  }

  writeTogether(statements: readonly SqlStatement[]): Promise<void> {
    return this.#alone(async () => {
      // One alone is a transaction of its own, and prepared.
      const script = statements.length === 1 ? undefined : transactionScript(statements);
      try {
        if (script === undefined) await this.#runInTurn(statements);
        else await settle<void>((done) => this.#database.exec(script, (error) => done(error)));
        this.#transactionCount += 1;
      } catch (error) {
        await this.#rollback();
        throw error;
      }
    });
  }

  /** Copies all pages into a new file; inside a transaction, as of that transaction (sqlite-backup.ts). */
  backup(target: string, options: BackupOptions = {}): Promise<void> {
    return this.#alone(async () => {
      const [row] = await this.#all('PRAGMA page_size', []);
      // The package has it since version 5, its declarations do not.
      const source = this.#database as unknown as BackupSource;
      await backUp(source, target, Number(row?.['page_size']), options);
    });
  }

  /** Waits for what was asked before, then closes. Closing twice is allowed. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const closing = this.#alone(async () => {
      for (const statement of this.#statements.values()) await finalize(statement);
      this.#statements.clear();
      await settle<void>((done) => this.#database.close((error) => done(error)));
    });
    this.#closed = true;
    await closing;
  }

  async #set(pragmas: readonly string[] = []): Promise<void> {
    for (const pragma of pragmas) await this.all(`PRAGMA ${pragma}`);
  }

  /** Whoever finds nothing under way begins at once. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(storageClosed(this.path));
    const isFirst = this.#pending === 0;
    this.#pending += 1;
    const result = isFirst ? work() : this.#tail.then(work);
    const over = (): void => {
      this.#pending -= 1;
    };
    // The caller of `work` hears of its failure; the next in the queue only needs to know that it is over.
    this.#tail = result.then(over, over);
    return result;
  }

  #runInTurn(statements: readonly SqlStatement[]): Promise<void> {
    const [only] = statements;
    return only !== undefined && statements.length === 1
      ? this.#run(only.text, only.values)
      : this.#runBetween('BEGIN IMMEDIATE', statements, 'COMMIT');
  }

  async #runBetween(begin: string, statements: readonly SqlStatement[], end: string): Promise<void> {
    await this.#run(begin, []);
    for (const { text, values } of statements) await this.#run(text, values);
    await this.#run(end, []);
  }

  async #all(text: string, values: readonly SqlValue[]): Promise<SqlRow[]> {
    const statement = await this.#prepared(text);
    return await settle<SqlRow[]>((done) =>
      statement.all<SqlRow>([...values], (error, rows) => done(error, rows)),
    );
  }

  #run(text: string, values: readonly SqlValue[]): Promise<void> {
    const known = this.#known(text);
    return known === undefined
      ? this.#prepared(text).then((made) => runWith(made, values))
      : runWith(known, values);
  }

  /** The statement, if it has been prepared; from now on it is the one that was used last. */
  #known(text: string): sqlite3.Statement | undefined {
    const known = this.#statements.get(text);
    if (known === undefined) return undefined;
    this.#statements.delete(text);
    this.#statements.set(text, known);
    return known;
  }

  async #prepared(text: string): Promise<sqlite3.Statement> {
    const known = this.#known(text);
    if (known !== undefined) return known;
    const [oldest] = this.#statements;
    if (oldest !== undefined && this.#statements.size >= MAX_PREPARED_STATEMENTS) {
      this.#statements.delete(oldest[0]);
      await finalize(oldest[1]);
    }
    const statement = await new Promise<sqlite3.Statement>((resolve, reject) => {
      const made: sqlite3.Statement = this.#database.prepare(text, (error: Error | null) =>
        error ? reject(error) : resolve(made),
      );
    });
    this.#statements.set(text, statement);
    return statement;
  }

  async #rollback(): Promise<void> {
    try {
      await this.#run('ROLLBACK', []);
    } catch {
      // After a full disk or an I/O error SQLite has rolled back by itself and says that there is no transaction.
      // The error that led here is the one to report; a transaction really left open makes the next BEGIN fail.
    }
  }
}

async function makeDurable(connection: SqliteConnection): Promise<void> {
  const [journal] = await connection.all('PRAGMA journal_mode = WAL');
  if (journal?.['journal_mode'] !== 'wal')
    throw notDurable(connection.path, 'journal_mode=WAL', String(journal?.['journal_mode']));
  await connection.all('PRAGMA synchronous = FULL');
  const [synchronous] = await connection.all('PRAGMA synchronous');
  if (synchronous?.['synchronous'] !== SYNCHRONOUS_FULL)
    throw notDurable(connection.path, 'synchronous=FULL', String(synchronous?.['synchronous']));
  await connection.all(`PRAGMA journal_size_limit = ${WAL_SIZE_LIMIT_BYTES}`);
}

function settle<T>(start: (done: (error: Error | null, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value as T)));
  });
}

function runWith(statement: sqlite3.Statement, values: readonly SqlValue[]): Promise<void> {
  return settle<void>((done) => statement.run([...values], (error: Error | null) => done(error)));
}

/** sqlite3 repeats here the error of the statement's last run, which its caller has had already. */
function finalize(statement: sqlite3.Statement): Promise<void> {
  return new Promise((resolve) => {
    statement.finalize(() => resolve());
  });
}
