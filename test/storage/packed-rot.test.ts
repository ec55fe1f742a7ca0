/** @module Small blocks in pages that SQLite cannot read: nothing is stored in their place, and nothing else suffers. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { KIB } from '../../src/common/bytes.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { type FileBlockStore, openBlockStore } from '../../src/storage/file-block-store.ts';
import { SqliteConnection } from '../../src/storage/sqlite.ts';
import { contents } from '../client/bytes.ts';
import { described, put } from './block-store.suite.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const PAGE_BYTES = 4 * KIB;
const ROTTEN = contents(60 * KIB, 'rotten');
const OTHER = contents(60 * KIB, 'other');
const NOTE = { reason: 'corrupt', era: 0, index: 0, sinceMs: 1 } as const;

describe('a small block in a page that cannot be read', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('goes out of service, and writing it anew is refused rather than acknowledged; others are stored', async () => {
    const root = await temporaryDirectory();
    const store = await withRottenPage(root);
    const { hash } = described(ROTTEN);
    expect(await store.verify(hash)).toBe(false);
    await store.quarantine(hash, NOTE);
    expect(store.has(hash)).toBe(false);
    await expect(put(store, ROTTEN)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_BLOCK' });
    expect(store.has(hash)).toBe(false);
    expect(store.isReadOnly).toBe(false);
    const later = await put(store, contents(60 * KIB, 'later'));
    for (const block of [described(OTHER), later]) expect(await store.verify(block.hash)).toBe(true);
    await store.close();
    // It is still there, for whoever looks: the next start finds that it is bad once more.
    const again = await reopen(root);
    expect(await again.verify(hash)).toBe(false);
    expect(await again.verify(later.hash)).toBe(true);
    await again.close();
  });

  it('or on a sector that gives an error counts as bad: it can be made anew from another copy', async () => {
    const store = await reopen(await temporaryDirectory());
    const { hash } = await put(store, ROTTEN);
    await put(store, OTHER);
    const all = SqliteConnection.prototype.all;
    vi.spyOn(SqliteConnection.prototype, 'all').mockImplementation(function (
      this: SqliteConnection,
      text,
      values = [],
    ) {
      const isOfRotten = values.some(
        (value) => value instanceof Uint8Array && Buffer.from(value).toString('hex') === hash,
      );
      if (!isOfRotten || !text.includes('data FROM packed')) return all.call(this, text, values);
      return Promise.reject(
        Object.assign(new Error('SQLITE_IOERR: disk I/O error'), { code: 'SQLITE_IOERR' }),
      );
    });
    const verdicts = await Promise.all([hash, described(OTHER).hash].map((each) => store.verify(each)));
    expect(verdicts).toEqual([false, true]);
    await store.quarantine(hash, NOTE);
    expect([store.has(hash), store.has(described(OTHER).hash)]).toEqual([false, true]);
    await store.close();
  });
});

/** Two blocks, the first of which has lost the link to the second half of its bytes. */
async function withRottenPage(root: string): Promise<FileBlockStore> {
  const store = await reopen(root);
  await put(store, ROTTEN);
  await put(store, OTHER);
  await store.close();
  const path = join(root, 'packed.db');
  const at = (await readFile(path)).indexOf(ROTTEN.subarray(30 * KIB, 30 * KIB + 64));
  expect(at).toBeGreaterThan(0);
  await using file = await open(path, 'r+');
  // An overflow page begins with the number of the next one; there is no such page.
  await file.write(Buffer.from([0x7f, 0xff, 0xff, 0xff]), 0, 4, at - (at % PAGE_BYTES));
  return reopen(root);
}

function reopen(root: string): Promise<FileBlockStore> {
  return openBlockStore(root, { reserveBytes: 0, logger: silentLogger });
}
