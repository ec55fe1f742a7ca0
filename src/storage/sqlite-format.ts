/** @module Which format a file of SQLite has, and how it comes to have that of today. */
import { wrongFormat } from './errors.ts';
import type { Sql, SqlDatabase } from './sql-database.ts';

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
  /** Statements for this connection alone, once there are tables: temporary views and triggers, of which the file holds nothing. */
  readonly temporary?: readonly string[];
  /** Statements that bring a file of an older format to the next one, by the older format's number. */
  readonly upgrades?: Readonly<Record<number, readonly string[]>>;
}

/** Makes the tables of a new file, and brings an older one to today's format. Throws STORAGE_WRONG_FORMAT. */
export async function makeTables(connection: SqlDatabase, options: SqliteOptions): Promise<void> {
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
