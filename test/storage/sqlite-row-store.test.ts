/** @module SqliteRowStore against the suite, and what only a disk can show. */
import { copyFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { utf8 } from '../../src/common/bytes.ts';
import { NEWEST_ROW_FORMAT, type RowChange, type RowStore } from '../../src/storage/row-store.ts';
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

it('refuses a damaged copy and keeps what it has', async () => {
  const directory = await temporaryDirectory();
  const store = await openRowStore(join(directory, 'rows.db'));
  await store.write([ROW]);
  const copy = join(directory, 'copy');
  await copyOf(store, copy);
  await truncate(copy, 6000);
  await expect(store.verify(copy)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_IMPORT' });
  await writeFile(copy, 'nonsense');
  await expect(store.verify(copy)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_IMPORT' });
  expect(await store.scan('meta', '', 'z', 10)).toHaveLength(1);
  await store.close();
});

it('refuses a copy with one damaged page in the middle, and leaves nothing beside the file it looked at', async () => {
  const directory = await temporaryDirectory();
  const store = await openRowStore(join(directory, 'rows.db'));
  await store.write(Array.from({ length: 2000 }, (_, at) => ({ ...ROW, key: `row ${at}` })));
  const copy = join(directory, 'copy');
  await copyOf(store, copy);
  await store.verify(copy);
  const bytes = await readFile(copy);
  await writeFile(copy, bytes.fill(0xff, 20 * 4096, 20 * 4096 + 100));
  await expect(store.verify(copy)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_IMPORT' });
  expect((await readdir(directory)).filter((name) => name.startsWith('copy'))).toEqual(['copy']);
  await store.close();
});

it('serves reads and writes that arrive while an import swaps the file, and waits for whoever has it pinned', async () => {
  const directory = await temporaryDirectory();
  const store = await openRowStore(join(directory, 'rows.db'));
  const keys = Array.from({ length: 4000 }, (_, at) => `row ${at}`);
  await store.write(keys.map((key) => ({ ...ROW, key })));
  await copyOf(store, join(directory, 'copy'));
  const pinned = await store.pin();
  const progress = { imported: false, reads: 0 };
  const importing = store.importFrom(join(directory, 'copy')).then(() => (progress.imported = true));
  expect(await pinned.scan('meta', '', 'z', 5000)).toHaveLength(4000);
  expect(progress.imported).toBe(false);
  const reading = (async () => {
    while (!progress.imported) {
      expect(await store.getMany('meta', keys)).not.toContain(undefined);
      progress.reads += 1;
    }
  })();
  await pinned[Symbol.asyncDispose]();
  await importing;
  await reading;
  expect(progress.reads).toBeGreaterThan(0);
  await store.close();
});

it('keeps the WAL bounded while it writes, though no commit stops for a checkpoint', async () => {
  const path = join(await temporaryDirectory(), 'rows.db');
  const store = await openRowStore(path);
  let largest = 0;
  for (let round = 0; round < 40; round++) {
    // Far apart, so that each row changes a page of its own.
    const rows = Array.from({ length: 4000 }, (_, at) => ({ ...ROW, key: `${at % 97} ${at} ${round}` }));
    await store.write(rows);
    largest = Math.max(largest, (await stat(`${path}-wal`)).size);
  }
  expect(largest).toBeLessThan(96 * 1024 * 1024);
  await store.close();
});

it('refuses a file of another format', async () => {
  const path = join(await temporaryDirectory(), 'rows.db');
  await (await SqliteConnection.open(path, { format: 99, schema: [] })).close();
  await expect(openRowStore(path)).rejects.toMatchObject({
    code: 'STORAGE_WRONG_FORMAT',
    facts: { wanted: NEWEST_ROW_FORMAT, got: 99 },
  });
});

async function copyOf(store: RowStore, path: string): Promise<void> {
  await using pinned = await store.pin();
  await pinned.copyTo(path);
}

async function breakTable(path: string, table: string): Promise<void> {
  const other = await SqliteConnection.open(path, { format: 1, schema: [] });
  await other.run(`DROP TABLE ${table}`);
  await other.close();
}

it('tells a damaged file from a failing disk, says so once, and gives nothing out of it any more', async () => {
  const path = join(await temporaryDirectory(), 'rows.db');
  const rows = Array.from({ length: 2_000 }, (_, at) => ({
    ...ROW,
    table: 'inode' as const,
    key: `row ${at}`,
  }));
  const before = await openRowStore(path);
  await before.write(rows);
  await before.close();
  const bytes = await readFile(path);
  await writeFile(path, bytes.fill(0xa5, 2 * 4096));
  const store = await openRowStore(path);
  await expect(store.getMany('inode', ['row 1000'])).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_ROWS' });
  await expect(store.damaged).resolves.toMatchObject({ code: 'STORAGE_CORRUPT_ROWS', facts: { path } });
  await expect(store.write([ROW])).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_ROWS' });
  await store.close();
  await writeFile(path, 'no database at all, but long enough to be taken for one'.repeat(100));
  await expect(openRowStore(path)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_ROWS' });
});
