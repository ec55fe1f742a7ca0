/** @module What every RowStore must do. */
import { readdir } from 'node:fs/promises';
import fc from 'fast-check';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../../src/common/bytes.ts';
import type { RowChange, RowStore } from '../../src/storage/row-store.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export function rowStoreSuite(name: string, open: (directory: string) => Promise<RowStore>): void {
  const fresh = async (): Promise<{ store: RowStore; directory: string }> => {
    const directory = await temporaryDirectory();
    return { store: await open(directory), directory };
  };

  describe(`${name} as a RowStore`, () => {
    it('gives values in the order of the keys, and undefined where there is no row', async () => {
      const { store } = await fresh();
      await store.write([put('a', '1'), put('b', '2')]);
      const values = await store.getMany('inode', ['b', 'nothing', 'a', 'b']);
      expect(values.map((value) => value && fromUtf8(value))).toEqual(['2', undefined, '1', '2']);
      await store.close();
    });

    it('keeps tables apart', async () => {
      const { store } = await fresh();
      await store.write([put('a', '1'), { table: 'block', key: 'a', value: utf8('other') }]);
      await store.write([{ table: 'block', key: 'a' }]);
      expect(await keys(store)).toEqual(['a']);
      expect(await store.getMany('block', ['a'])).toEqual([undefined]);
      await store.close();
    });

    it('lets the last change of a row win within one write', async () => {
      const { store } = await fresh();
      await store.write([put('a', '1'), { table: 'inode', key: 'a' }, put('b', '1'), put('b', '2')]);
      await store.write([{ table: 'inode', key: 'c' }, put('c', '3')]);
      expect(await keys(store)).toEqual(['b', 'c']);
      expect(fromUtf8((await store.getMany('inode', ['b']))[0] as Uint8Array)).toBe('2');
      await store.close();
    });

    it('keeps an empty value apart from no row', async () => {
      const { store } = await fresh();
      await store.write([put('a', '')]);
      expect((await store.getMany('inode', ['a']))[0]?.length).toBe(0);
      await store.close();
    });

    it('scans [from, to) up to the limit in the order of UTF-8 bytes, whatever the keys', async () => {
      const { store } = await fresh();
      const text = fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 4 })
        .filter((key) => key.isWellFormed());
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(text, { maxLength: 12 }),
          text,
          text,
          fc.nat(12),
          async (names, a, b, limit) => {
            const old = await keys(store);
            await store.write([
              ...old.map((key) => ({ table: 'inode' as const, key })),
              ...names.map((key) => put(key, key)),
            ]);
            const [from, to] = byBytes(a, b) <= 0 ? [a, b] : [b, a];
            const inRange = names
              .filter((key) => byBytes(from, key) <= 0 && byBytes(key, to) < 0)
              .toSorted(byBytes);
            const rows = await store.scan('inode', from, to, limit);
            expect(rows.map((row) => row.key)).toEqual(inRange.slice(0, limit));
          },
        ),
        { numRuns: 60 },
      );
      await store.close();
    });

    it('puts a surrogate pair after U+FFFD, as UTF-8 does and JavaScript does not', async () => {
      const { store } = await fresh();
      await store.write([put('\u{1F600}', ''), put('\uFFFD', ''), put('z', '')]);
      expect(await keys(store)).toEqual(['z', '\uFFFD', '\u{1F600}']);
      await store.close();
    });

    it('writes and reads thousands of rows in one call', async () => {
      const { store } = await fresh();
      const names = Array.from({ length: 3001 }, (_, at) => `k${String(at).padStart(5, '0')}`);
      await store.write(names.map((key) => put(key, key)));
      await store.write(
        names.filter((_, at) => at % 2 === 0).map((key) => ({ table: 'inode' as const, key })),
      );
      const values = await store.getMany('inode', names);
      expect(
        values.every((value, at) =>
          at % 2 === 0 ? value === undefined : fromUtf8(value as Uint8Array) === names[at],
        ),
      ).toBe(true);
      await store.close();
    });

    it('brings back by import exactly what was pinned, whatever was written before it was copied', async () => {
      const { store, directory } = await fresh();
      const copy = join(directory, 'copy');
      await store.write([put('kept', '1'), put('changed', '1')]);
      const pinned = await store.pin();
      await store.write([put('changed', '2'), put('added', '2'), { table: 'inode', key: 'kept' }]);
      expect((await pinned.scan('inode', '', 'z', 10)).map(({ key }) => key)).toEqual(['changed', 'kept']);
      await pinned.copyTo(copy);
      await pinned[Symbol.asyncDispose]();
      expect(await keys(store)).toEqual(['added', 'changed']);
      await store.verify(copy);
      await store.importFrom(copy);
      expect(await keys(store)).toEqual(['changed', 'kept']);
      expect(fromUtf8((await store.getMany('inode', ['changed']))[0] as Uint8Array)).toBe('1');
      await store.write([put('later', '3')]);
      expect(await keys(store)).toEqual(['changed', 'kept', 'later']);
      await store.close();
    });

    it('copies in steps that whoever paces them can hold up or end', async () => {
      const { store, directory } = await fresh();
      await store.write([put('a', '1')]);
      const stopping = new AbortController();
      const pinned = await store.pin();
      const pace = (bytes: number): Promise<void> => {
        expect(bytes).toBeGreaterThan(0);
        stopping.abort(new Error('enough'));
        return Promise.reject(stopping.signal.reason);
      };
      const copying = pinned.copyTo(join(directory, 'copy'), { pace, signal: stopping.signal });
      await expect(copying).rejects.toThrow('enough');
      expect((await readdir(directory)).filter((file) => file.startsWith('copy'))).toEqual([]);
      await pinned[Symbol.asyncDispose]();
      await store.close();
    });

    it('refuses everything after close with STORAGE_CLOSED', async () => {
      const { store } = await fresh();
      await store.close();
      await expect(store.write([put('a', '1')])).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
      await expect(store.getMany('inode', ['a'])).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
    });
  });
}

function put(key: string, value: string): RowChange {
  return { table: 'inode', key, value: utf8(value) };
}

async function keys(store: RowStore): Promise<string[]> {
  return (await store.scan('inode', '', '\u{10FFFF}', 100_000)).map((row) => row.key);
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
