/** @module The door to sqlite3: durability read back, transactions that never interleave. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { insertions, insertRows } from '../../src/storage/bulk-sql.ts';
import { SqliteConnection } from '../../src/storage/sqlite.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const OPTIONS = { format: 1, schema: ['CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)'] };

async function opened(): Promise<SqliteConnection> {
  return await SqliteConnection.open(join(await temporaryDirectory(), 'x.db'), OPTIONS);
}

it('runs with WAL and synchronous=FULL', async () => {
  const connection = await opened();
  expect(await connection.all('PRAGMA synchronous')).toEqual([{ synchronous: 2 }]);
  expect(await connection.all('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
  await connection.close();
});

it('refuses a database that cannot have a WAL with STORAGE_NOT_DURABLE', async () => {
  await expect(SqliteConnection.open(':memory:', OPTIONS)).rejects.toMatchObject({
    code: 'STORAGE_NOT_DURABLE',
  });
});

it('keeps the statements of one transaction together, also when another one fails', async () => {
  const connection = await opened();
  const good = connection.transaction(async (sql) => {
    for (let a = 0; a < 50; a += 1) await sql.run('INSERT INTO t VALUES (?, ?)', [a, 'good']);
  });
  const bad = connection.transaction(async (sql) => {
    await sql.run('INSERT INTO t VALUES (?, ?)', [100, 'bad']);
    await sql.run('INSERT INTO t VALUES (?, ?)', [100, 'twice']);
  });
  const counted = connection.all('SELECT count(*) AS n FROM t');
  await good;
  await expect(bad).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT' });
  expect(await counted).toEqual([{ n: 50 }]);
  expect(connection.transactionCount).toBe(2);
  await connection.close();
});

it('inserts any number of rows, each once', async () => {
  const connection = await opened();
  for (const count of [0, 1, 7, 513, 1500]) {
    await connection.run('DELETE FROM t');
    await insertRows(
      connection,
      'INSERT INTO t (a, b)',
      Array.from({ length: count }, (_, a) => [a, 'x']),
    );
    expect(await connection.all('SELECT count(*) AS n FROM t')).toEqual([{ n: count }]);
  }
  await connection.close();
});

it('writes few rows with one statement, which is all there or not at all', async () => {
  const connection = await opened();
  const insert = (from: number, count: number): Promise<void> =>
    connection.writeTogether(
      insertions(
        'INSERT INTO t (a, b)',
        Array.from({ length: count }, (_, at) => [from + at, 'x\0']),
        { together: 16 },
      ),
    );
  const rowsOf = (count: number): number[] => {
    const rows = Array.from({ length: count }, () => [1]);
    const statements = insertions('INSERT INTO t (a)', rows, { together: 16 });
    return statements.map(({ text }) => text.split('?').length - 1);
  };
  expect([13, 16, 45].map(rowsOf)).toEqual([[13], [16], [32, 13]]);
  await insert(0, 13);
  await expect(insert(10, 16)).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT' });
  await insert(13, 16);
  expect(await connection.all('SELECT count(*) AS n, max(a) AS last FROM t')).toEqual([{ n: 29, last: 28 }]);
  // That of the table, and these two.
  expect(connection.transactionCount).toBe(3);
  await connection.close();
});

it('refuses statements after close', async () => {
  const connection = await opened();
  await connection.close();
  await expect(connection.run('DELETE FROM t')).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
});
