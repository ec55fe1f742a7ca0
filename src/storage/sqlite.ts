/** @module The only door to the package sqlite3: one connection, its statements as promises, never interleaved. */
import { pathToFileURL } from 'node:url';
import sqlite3 from 'sqlite3';
import { notDurable, storageClosed, wrongFormat } from './errors.ts';
import { type SqlStatement, transactionScript } from './sql-script.ts';
import type { SqlRow, SqlValue } from './sql-value.ts';
import { backUp, type BackupOptions, type BackupSource } from './sqlite-backup.ts';

/** A database as the stores use it. Tests put a disk that fails in its place. */
export interface SqlDatabase extends Sql {
  readonly path: string;
  /** Transactions committed so far, each of them one fsync. */
  readonly transactionCount: number;
  /** Runs `body` between BEGIN and COMMIT. If it throws, nothing of it remains. */
  transaction<T>(body: (sql: Sql) => Promise<T>): Promise<T>;
  /**
   * Like transaction, for a body that only writes: its statements are gathered while it runs, and a few small ones then
   * cost one change to the thread pool and back instead of one each. `run` inside resolves at once; failures come here.
   */
  gatheredTransaction(body: (sql: SqlWriter) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** What a transaction's body may do. Errors are SQLite's own (`code` is 'SQLITE_…'); the stores wrap them. */
export interface Sql extends SqlWriter {
  all(text: string, values?: readonly SqlValue[]): Promise<SqlRow[]>;
}

export interface SqlWriter {
  run(text: string, values?: readonly SqlValue[]): Promise<void>;
}

export interface SqliteOptions {
  /** Format of a new file, kept in `PRAGMA user_version`; another one is refused with STORAGE_WRONG_FORMAT. */
  readonly format: number;
  /** Files from `format` up to this one are opened as they are; `format` when absent. */
  readonly newestFormat?: number;
  /** Statements that make the tables of a new file. */
  readonly schema: readonly string[];
  /** Of a new file: pages that deletions leave can be given back to the file system (free-pages.ts). */
  readonly shrinks?: boolean;
  /** Further PRAGMAs for this connection, e.g. 'cache_size = -8192'. */
  readonly pragmas?: readonly string[];
  /** Statements that bring a file of an older format to the next one, by the older format's number. */
  readonly upgrades?: Readonly<Record<number, readonly string[]>>;
}

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

  gatheredTransaction(body: (sql: SqlWriter) => Promise<void>): Promise<void> {
    return this.#alone(async () => {
      const statements: SqlStatement[] = [];
      await body({
        run: async (text, values = []) => {
          statements.push({ text, values });
        },
      });
      const script = transactionScript(statements);
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

  #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(storageClosed(this.path));
    const result = this.#tail.then(work);
    // The caller of `work` hears of its failure; the next in the queue only needs to know that it is over.
    this.#tail = result.then(nothing, nothing);
    return result;
  }

  async #runInTurn(statements: readonly SqlStatement[]): Promise<void> {
    await this.#run('BEGIN IMMEDIATE', []);
    for (const { text, values } of statements) await this.#run(text, values);
    await this.#run('COMMIT', []);
  }

  async #all(text: string, values: readonly SqlValue[]): Promise<SqlRow[]> {
    const statement = await this.#prepared(text);
    return await settle<SqlRow[]>((done) =>
      statement.all<SqlRow>([...values], (error, rows) => done(error, rows)),
    );
  }

  async #run(text: string, values: readonly SqlValue[]): Promise<void> {
    const statement = await this.#prepared(text);
    await settle<void>((done) => statement.run([...values], (error: Error | null) => done(error)));
  }

  async #prepared(text: string): Promise<sqlite3.Statement> {
    const known = this.#statements.get(text);
    if (known !== undefined) {
      this.#statements.delete(text);
      this.#statements.set(text, known);
      return known;
    }
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

/** True for an error of SQLite, if `code` is given one that carries it, e.g. 'SQLITE_FULL'. */
export function isSqliteError(error: unknown, code?: string): boolean {
  if (!(error instanceof Error && 'code' in error)) return false;
  return code === undefined ? String(error.code).startsWith('SQLITE_') : error.code === code;
}

/** True when SQLite says that the file is not, or not all, a database any more. */
export function isCorruption(error: unknown): boolean {
  return isSqliteError(error, 'SQLITE_CORRUPT') || isSqliteError(error, 'SQLITE_NOTADB');
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

async function makeTables(connection: SqliteConnection, options: SqliteOptions): Promise<void> {
  const format = await formatOf(connection);
  if (format >= options.format && format <= newestFormat(options)) return;
  const statements = await statementsFrom(connection, format, options);
  await connection.transaction(async (sql) => {
    for (const statement of statements) await sql.run(statement);
    await sql.run(`PRAGMA user_version = ${options.format}`);
  });
}

async function statementsFrom(
  sql: Sql & { readonly path: string },
  format: number,
  options: SqliteOptions,
): Promise<readonly string[]> {
  const [tables] = await sql.all('SELECT count(*) AS tables FROM sqlite_schema');
  if (format === 0 && tables?.['tables'] === 0) return options.schema;
  const statements: string[] = [];
  for (let from = format; from < options.format; from += 1) {
    const step = options.upgrades?.[from];
    if (step === undefined) throw wrongFormat(sql.path, newestFormat(options), format);
    statements.push(...step);
  }
  if (statements.length === 0) throw wrongFormat(sql.path, newestFormat(options), format);
  return statements;
}

function newestFormat(options: SqliteOptions): number {
  return options.newestFormat ?? options.format;
}

/** The format a file was written in; 0 for a new one. */
export async function formatOf(sql: Sql): Promise<number> {
  const [row] = await sql.all('PRAGMA user_version');
  return Number(row?.['user_version']);
}

function settle<T>(start: (done: (error: Error | null, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value as T)));
  });
}

/** sqlite3 repeats here the error of the statement's last run, which its caller has had already. */
function finalize(statement: sqlite3.Statement): Promise<void> {
  return new Promise((resolve) => {
    statement.finalize(() => resolve());
  });
}

function nothing(): void {}
