/** @module FilePageStore against the suite, and what only a disk can show. */
import { open, readdir, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { FilePageStore, type FilePageStoreOptions } from '../../src/storage/file-page-store.ts';
import { PAGE_SIZE_BYTES } from '../../src/storage/page-store.ts';
import { contentOf, pagesOf, pageStoreSuite } from './page-store.suite.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const ROOM: FilePageStoreOptions = { maxBytes: 16 * PAGE_SIZE_BYTES, reserveBytes: 0 };

pageStoreSuite('FilePageStore', async () => FilePageStore.open(await newPath(), ROOM));

async function newPath(): Promise<string> {
  return join(await temporaryDirectory(), 'pages');
}

it('leaves nothing behind, and takes nothing for its own that an earlier process left', async () => {
  const path = await newPath();
  await writeFile(path, pagesOf(1));
  {
    await using store = await FilePageStore.open(path, ROOM);
    expect(await readdir(dirname(path))).toEqual([]);
    const run = await store.write(pagesOf(2));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(contentOf(await store.read(run, 0, 2))).toHaveLength(2);
  }
  expect(await readdir(dirname(path))).toEqual([]);
});

it('notices any bit that is not as it was written, and only in the page where it is', async () => {
  const path = await newPath();
  await using store = await FilePageStore.open(path, ROOM);
  const run = await store.write(pagesOf(3));
  const places = [0, 1, 2].map((page) => ({ run, page }));
  for (const at of [0, 2_000, PAGE_SIZE_BYTES - 1]) {
    await using file = await open(path, 'r+');
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, PAGE_SIZE_BYTES + at);
    await file.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, PAGE_SIZE_BYTES + at);
    const pages = await store.readEach(places);
    expect(pages.map((page) => page instanceof Error)).toEqual([false, true, false]);
    await expect(store.read(run, 0, 3)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_PAGE' });
    await file.write(byte, 0, 1, PAGE_SIZE_BYTES + at);
  }
  expect(contentOf(await store.read(run, 0, 3))).toHaveLength(3);
});

it('says that it failed when the file is shorter than what was written', async () => {
  const path = await newPath();
  await using store = await FilePageStore.open(path, ROOM);
  const run = await store.write(pagesOf(2));
  await truncate(path, PAGE_SIZE_BYTES + 100);
  await expect(store.read(run, 0, 2)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  const pages = await store.readEach([
    { run, page: 0 },
    { run, page: 1 },
  ]);
  expect(pages[0]).toBeInstanceOf(Uint8Array);
  expect(pages[1]).toMatchObject({ code: 'STORAGE_FAILED' });
});

it('leaves its reserve to others, whatever it was promised itself', async () => {
  let freeBytes = 6 * PAGE_SIZE_BYTES;
  const options = { ...ROOM, reserveBytes: 2 * PAGE_SIZE_BYTES, freeBytes: async () => freeBytes };
  await using store = await FilePageStore.open(await newPath(), options);
  await expect(store.write(pagesOf(5))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  await store.write(pagesOf(4));
  freeBytes = 3 * PAGE_SIZE_BYTES;
  await store.write(pagesOf(1));
  await expect(store.write(pagesOf(2))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
});

it('can write once its directory is there again', async () => {
  const path = join(await temporaryDirectory(), 'missing', 'pages');
  await using store = await FilePageStore.open(path, { ...ROOM, freeBytes: async () => 1e9 });
  await expect(store.write(pagesOf(1))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  expect(store.usedBytes).toBe(0);
  const { mkdir } = await import('node:fs/promises');
  await mkdir(dirname(path));
  expect((await store.write(pagesOf(1))).pages).toBe(1);
});

it('reads nothing once it is closed', async () => {
  const store = await FilePageStore.open(await newPath(), ROOM);
  const run = await store.write(pagesOf(1));
  const reading = store.read(run, 0, 1);
  await store[Symbol.asyncDispose]();
  expect(await reading).toHaveLength(PAGE_SIZE_BYTES);
  await expect(store.read(run, 0, 1)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  await expect(store.write(pagesOf(1))).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
});
