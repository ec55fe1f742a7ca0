/** @module The one query over a range of rows. */
import type { Row, TableName } from './row-store.ts';
import type { Sql } from './sql-database.ts';

/** Rows with from <= key < to in the order of their keys' UTF-8 bytes, which is SQLite's BINARY collation. */
export async function scanRows(
  sql: Sql,
  table: TableName,
  from: string,
  to: string,
  limit: number,
): Promise<Row[]> {
  const text = `SELECT key, value FROM "${table}" WHERE key >= ? AND key < ? ORDER BY key LIMIT ?`;
  const rows = await sql.all(text, [from, to, limit]);
  return rows.map((row) => ({ key: row['key'] as string, value: row['value'] as Uint8Array }));
}
