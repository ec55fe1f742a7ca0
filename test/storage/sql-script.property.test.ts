import fc from 'fast-check';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { transactionScript } from '../../src/storage/sql-script.ts';
import { SqliteConnection } from '../../src/storage/sqlite.ts';
import type { SqlValue } from '../../src/storage/sql-value.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** As all our columns with numbers: the package binds large ones as REAL, which this makes whole again. */
const OPTIONS = { format: 1, schema: ['CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER)'] };
const INSERT = 'INSERT INTO t (a, b) VALUES (?, ?)';

const value: fc.Arbitrary<SqlValue> = fc.oneof(
  fc.constant(null),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom("'", "''; DROP TABLE t; --", '?', '\0', 'a\0b'),
  fc.uint8Array({ maxLength: 6_000 }),
);

async function opened(): Promise<SqliteConnection> {
  return SqliteConnection.open(join(await temporaryDirectory(), 'script.db'), OPTIONS);
}

it('writes the same values together as one by one', async () => {
  const connection = await opened();
  const stored = (): Promise<unknown> => connection.all('SELECT a, b, hex(b) AS bytes FROM t ORDER BY a');
  await fc.assert(
    fc.asyncProperty(fc.array(value, { maxLength: 5 }), async (values) => {
      await connection.run('DELETE FROM t');
      for (const [a, b] of values.entries()) await connection.run(INSERT, [a, b]);
      const oneByOne = await stored();
      await connection.run('DELETE FROM t');
      await connection.writeTogether(values.map((each, at) => ({ text: INSERT, values: [at, each] })));
      expect(await stored()).toEqual(oneByOne);
    }),
    { numRuns: 60 },
  );
  await connection.close();
});

it('leaves nothing of statements written together of which one fails, and works on', async () => {
  const connection = await opened();
  const twice = connection.writeTogether([
    { text: INSERT, values: [1, 'once'] },
    { text: INSERT, values: [1, 'twice'] },
  ]);
  await expect(twice).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT' });
  await connection.writeTogether([{ text: INSERT, values: [2, 'after'] }]);
  expect(await connection.all('SELECT a FROM t')).toEqual([{ a: 2 }]);
  expect(connection.transactionCount).toBe(2);
  await connection.close();
});

it('makes no script of what has no literal, nor of much', () => {
  const scriptOf = (each: SqlValue): string | undefined =>
    transactionScript([{ text: INSERT, values: [1, each] }]);
  expect(scriptOf('it is ?')).toBe("BEGIN IMMEDIATE;INSERT INTO t (a, b) VALUES (1, 'it is ?');COMMIT");
  expect(scriptOf('a\0b')).toBeUndefined();
  expect(scriptOf(0.5)).toBeUndefined();
  expect(scriptOf(new Uint8Array(5_000))).toBeUndefined();
});
