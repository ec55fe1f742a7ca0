/** @module Many rows with few statements: one row per statement tops out near 40k rows/s, many near 200k. */
import type { Sql, SqlWriter } from './sql-database.ts';
import type { SqlStatement } from './sql-script.ts';
import type { SqlRow, SqlValue } from './sql-value.ts';

/** Rows or keys of one statement; a power of two. Times 8 columns it stays below SQLite's 32766 variables. */
const MAX_ROWS_PER_STATEMENT = 512;

export interface InsertOptions {
  /** So many rows or fewer are one statement, whatever their number: for who writes few at a time, and often. 1 when absent. */
  readonly together?: number;
}

/**
 * Inserts `rows`, all of one width. `head` is the statement up to VALUES, e.g. 'INSERT INTO t (a, b)'.
 * Statements have 512, 256 … 2, 1 rows, so that ten prepared ones serve any number of rows.
 */
export async function insertRows(
  sql: SqlWriter,
  head: string,
  rows: readonly (readonly SqlValue[])[],
  options: InsertOptions = {},
): Promise<void> {
  for (const { text, values } of insertions(head, rows, options)) await sql.run(text, values);
}

/** The statements of insertRows. */
export function insertions(
  head: string,
  rows: readonly (readonly SqlValue[])[],
  { together = 1 }: InsertOptions = {},
): SqlStatement[] {
  const statements: SqlStatement[] = [];
  let size = MAX_ROWS_PER_STATEMENT;
  for (let from = 0; from < rows.length; from += size) {
    const left = rows.length - from;
    while (size > left) size = left <= together ? left : size / 2;
    const batch = rows.slice(from, from + size);
    statements.push({ text: insertion(head, size, batch[0]?.length ?? 0), values: batch.flat() });
  }
  return statements;
}

/** The text that inserts so many rows of so many columns. */
export function insertion(head: string, rows: number, columns: number): string {
  const row = `(${placeholders(columns)})`;
  return `${head} VALUES ${Array.from({ length: rows }, () => row).join(',')}`;
}

/** Runs `head` + ' IN (…)' for all keys, e.g. head 'SELECT key, value FROM t WHERE key'; rows in no special order. */
export async function selectKeys(sql: Sql, head: string, keys: readonly SqlValue[]): Promise<SqlRow[]> {
  const found: SqlRow[] = [];
  for (const batch of keyBatches(keys))
    for (const row of await sql.all(`${head} IN (${placeholders(batch.length)})`, batch)) found.push(row);
  return found;
}

/** Deletes by `head` + ' IN (…)', e.g. head 'DELETE FROM t WHERE key'. */
export async function deleteKeys(sql: SqlWriter, head: string, keys: readonly SqlValue[]): Promise<void> {
  for (const { text, values } of deletions(head, keys)) await sql.run(text, values);
}

/** The statements of deleteKeys. */
export function deletions(head: string, keys: readonly SqlValue[]): SqlStatement[] {
  return [...keyBatches(keys)].map((batch) => ({
    text: `${head} IN (${placeholders(batch.length)})`,
    values: batch,
  }));
}

/** Batches of 1, 2, 4 … 512 keys; the last is filled up by repeating a key, which changes no set. */
function* keyBatches(keys: readonly SqlValue[]): Generator<SqlValue[]> {
  for (let from = 0; from < keys.length; from += MAX_ROWS_PER_STATEMENT) {
    const batch = keys.slice(from, from + MAX_ROWS_PER_STATEMENT);
    let size = 1;
    while (size < batch.length) size *= 2;
    while (batch.length < size) batch.push(batch[0] as SqlValue);
    yield batch;
  }
}

function placeholders(count: number): string {
  return Array.from({ length: count }, () => '?').join(',');
}
