/** @module SqliteRowStore against the suite, and what only a disk can show. */
import { copyFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { utf8 } from '../../src/common/bytes.ts';
import type { RowChange } from '../../src/storage/row-store.ts';
import { openRowStore } from '../../src/storage/sqlite-row-store.ts';
import { SqliteConnection } from '../../src/storage/sqlite.ts';
import { rowStoreSuite } from './row-store.suite.ts';
import { temporaryDirectory } from './temporary-directory.ts';

rowStoreSuite('SqliteRowStore', (directory) => openRowStore(join(directory, 'rows.db')));

const ROW: RowChange = { table: 'meta', key: 'applied', value: utf8('7') };

it('finds its rows again after it was opened anew', async () => {
  const path = join(await temporaryDirectory(), 'rows.db');
  const store = await openRowStore(path);
  await store.write([ROW]);
  await store.close();
  const again = await openRowStore(path);
  expect(await again.scan('meta', '', 'z', 10)).toHaveLength(1);
  await again.close();
});

it('finds acknowledged rows in a copy of its files taken without closing, as a killed process leaves them', async () => {
  const directory = await temporaryDirectory();
  const store = await openRowStore(join(directory, 'rows.db'));
  await store.write([ROW]);
  for (const suffix of ['', '-wal'])
    await copyFile(join(directory, `rows.db${suffix}`), join(directory, `killed.db${suffix}`));
  const killed = await openRowStore(join(directory, 'killed.db'));
  expect(await killed.scan('meta', '', 'z', 10)).toHaveLength(1);
  await killed.close();
  await store.close();
});

it('latches after a failed write: every later call says STORAGE_FAILED', async () => {
  const path = join(await temporaryDirectory(), 'rows.db');
  const store = await openRowStore(path);
  await breakTable(path, 'meta');
  await expect(store.write([{ ...ROW, table: 'inode' }, ROW])).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
  });
  await expect(store.write([{ ...ROW, table: 'inode' }])).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  await expect(store.scan('inode', '', 'z', 10)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  await store.close();
  const tables = await SqliteConnection.openReader(path);
  expect(await tables.all('SELECT * FROM inode')).toEqual([]);
  await tables.close();
});

it('refuses to import a damaged copy and keeps what it has', async () => {
  const directory = await temporaryDirectory();
  const store = await openRowStore(join(directory, 'rows.db'));
  await store.write([ROW]);
  const copy = join(directory, 'copy');
  await store.exportTo(copy);
  await truncate(copy, 6000);
  await expect(store.importFrom(copy)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_IMPORT' });
  await writeFile(copy, 'nonsense');
  await expect(store.importFrom(copy)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_IMPORT' });
  expect(await store.scan('meta', '', 'z', 10)).toHaveLength(1);
  await store.close();
  expect((await readdir(directory)).filter((name) => name.includes('incoming'))).toEqual([]);
});

it('refuses to import a copy with one damaged page in the middle', async () => {
  const directory = await temporaryDirectory();
  const store = await openRowStore(join(directory, 'rows.db'));
  await store.write(Array.from({ length: 2000 }, (_, at) => ({ ...ROW, key: `row ${at}` })));
  const copy = join(directory, 'copy');
  await store.exportTo(copy);
  const bytes = await readFile(copy);
  await writeFile(copy, bytes.fill(0xff, 20 * 4096, 20 * 4096 + 100));
  await expect(store.importFrom(copy)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_IMPORT' });
  expect(await store.scan('meta', '', 'z', 5000)).toHaveLength(2000);
  await store.close();
});

it('drops a copy that a crash left before it took the place of the tables', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'rows.db.incoming'), 'half');
  const store = await openRowStore(join(directory, 'rows.db'));
  expect(await readdir(directory)).not.toContain('rows.db.incoming');
  await store.close();
});

it('serves reads and writes that arrive while an import swaps the file', async () => {
  const directory = await temporaryDirectory();
  const store = await openRowStore(join(directory, 'rows.db'));
  const keys = Array.from({ length: 4000 }, (_, at) => `row ${at}`);
  await store.write(keys.map((key) => ({ ...ROW, key })));
  await store.exportTo(join(directory, 'copy'));
  const importing = store.importFrom(join(directory, 'copy'));
  const progress = { imported: false, reads: 0 };
  const reading = (async () => {
    while (!progress.imported) {
      expect(await store.getMany('meta', keys)).not.toContain(undefined);
      progress.reads += 1;
    }
  })();
  await importing;
  progress.imported = true;
  await reading;
  expect(progress.reads).toBeGreaterThan(0);
  await store.close();
});

it('refuses a file of another format', async () => {
  const path = join(await temporaryDirectory(), 'rows.db');
  await (await SqliteConnection.open(path, { format: 99, schema: [] })).close();
  await expect(openRowStore(path)).rejects.toMatchObject({
    code: 'STORAGE_WRONG_FORMAT',
    facts: { wanted: 1, got: 99 },
  });
});

async function breakTable(path: string, table: string): Promise<void> {
  const other = await SqliteConnection.open(path, { format: 1, schema: [] });
  await other.run(`DROP TABLE ${table}`);
  await other.close();
}
