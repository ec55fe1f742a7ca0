/** @module What every page store does. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PAGE_SIZE_BYTES, PAGE_TRAILER_BYTES, type PageStore } from '../../src/storage/page-store.ts';

const KEPT_BYTES: number = PAGE_SIZE_BYTES - PAGE_TRAILER_BYTES;

export function pagesOf(count: number): Uint8Array {
  return new Uint8Array(randomBytes(count * PAGE_SIZE_BYTES));
}

/** Without the trailers. */
export function contentOf(pages: Uint8Array): string[] {
  return Array.from({ length: pages.byteLength / PAGE_SIZE_BYTES }, (_, page) =>
    Buffer.from(pages.subarray(page * PAGE_SIZE_BYTES, page * PAGE_SIZE_BYTES + KEPT_BYTES)).toString(
      'base64',
    ),
  );
}

/** `open` gives an empty store with room for 16 pages. */
export function pageStoreSuite(name: string, open: () => Promise<PageStore>): void {
  describe(name, () => {
    let store: PageStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(async () => {
      await store[Symbol.asyncDispose]();
    });

    it('gives back what was written: a run, a part of it, and single pages of many runs', async () => {
      const [a, b] = [pagesOf(3), pagesOf(2)];
      const [first, second] = [await store.write(a.slice()), await store.write(b.slice())];
      expect(contentOf(await store.read(first, 0, 3))).toEqual(contentOf(a));
      expect(contentOf(await store.read(first, 1, 2))).toEqual(contentOf(a).slice(1));
      const pages = await store.readEach([
        { run: second, page: 1 },
        { run: first, page: 0 },
      ]);
      expect(pages.map((page) => contentOf(page as Uint8Array))).toEqual([
        [contentOf(b)[1]],
        [contentOf(a)[0]],
      ]);
      expect(store.usedBytes).toBe(5 * PAGE_SIZE_BYTES);
    });

    it('refuses what it has no room for, and has room again for what was given back, in pieces too', async () => {
      const runs = [];
      for (let each = 0; each < 8; each++) runs.push(await store.write(pagesOf(2)));
      await expect(store.write(pagesOf(1))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
      for (const [at, run] of runs.entries()) if (at % 2 === 0) store.free(run);
      const large = pagesOf(7);
      const run = await store.write(large.slice());
      expect(contentOf(await store.read(run, 0, 7))).toEqual(contentOf(large));
      expect(contentOf(await store.read(run, 3, 3))).toEqual(contentOf(large).slice(3, 6));
      const [page] = await store.readEach([{ run, page: 5 }]);
      expect(contentOf(page as Uint8Array)).toEqual(contentOf(large).slice(5, 6));
      expect(store.usedBytes).toBe(15 * PAGE_SIZE_BYTES);
      await expect(store.write(pagesOf(2))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    });

    it('does not take what was written over a run for that run', async () => {
      const run = await store.write(pagesOf(2));
      store.free(run);
      await store.write(pagesOf(2));
      await expect(store.read(run, 0, 2)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_PAGE' });
      const [page] = await store.readEach([{ run, page: 1 }]);
      expect(page).toMatchObject({ code: 'STORAGE_CORRUPT_PAGE' });
    });

    it('frees a run once', async () => {
      const run = await store.write(pagesOf(1));
      store.free(run);
      expect(() => store.free(run)).toThrow(/freed twice/);
    });
  });
}
