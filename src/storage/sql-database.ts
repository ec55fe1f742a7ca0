/** @module What the stores ask of a database: statements, and transactions that hold or leave nothing. */
import type { SqlStatement } from './sql-script.ts';
import type { SqlRow, SqlValue } from './sql-value.ts';

/** A database as the stores use it. Tests put a disk that fails in its place. */
export interface SqlDatabase extends Sql {
  readonly path: string;
  /** Transactions committed so far, each of them one fsync. */
  readonly transactionCount: number;
  /** Runs `body` between BEGIN and COMMIT. If it throws, nothing of it remains. */
  transaction<T>(body: (sql: Sql) => Promise<T>): Promise<T>;
  /**
   * Like transaction, for statements that only write and are all known: a few small ones then cost one change to the
   * thread pool and back instead of one each.
   */
  writeTogether(statements: readonly SqlStatement[]): Promise<void>;
  close(): Promise<void>;
}

/** What a transaction's body may do. Errors are SQLite's own (`code` is 'SQLITE_…'); the stores wrap them. */
export interface Sql extends SqlWriter {
  all(text: string, values?: readonly SqlValue[]): Promise<SqlRow[]>;
}

export interface SqlWriter {
  run(text: string, values?: readonly SqlValue[]): Promise<void>;
}
