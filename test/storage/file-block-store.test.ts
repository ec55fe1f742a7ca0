/** @module FileBlockStore against the suite, and what only a disk can show. */
import { mkdir, open, readdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KIB, MIB } from '../../src/common/bytes.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { type FileBlockStore, openBlockStore } from '../../src/storage/file-block-store.ts';
import { SqliteConnection } from '../../src/storage/sqlite.ts';
import {
  blockStoreSuite,
  described,
  expectBytes,
  GARBAGE,
  patterned,
  put,
  readAll,
} from './block-store.suite.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const LARGE = patterned(300 * KIB);
const SMALL = patterned(1000);
const BAD = { ...GARBAGE, reason: 'corrupt' } as const;

blockStoreSuite('FileBlockStore', (directory, options) => reopen(directory, options));

it('finds every block again after it was opened anew', async () => {
  const root = await temporaryDirectory();
  const store = await reopen(root);
  const blocks = [];
  for (let seed = 0; seed < 20; seed += 1)
    blocks.push(await put(store, patterned(seed % 2 === 0 ? 900 : 70_000 + seed, seed)));
  const listed = store.list(undefined, 100);
  await store.close();
  const again = await reopen(root);
  expect(again.list(undefined, 100)).toEqual(listed);
  for (const { hash, origin } of blocks) {
    expect(await again.verify(hash)).toBe(true);
    expect(await again.origin(hash)).toEqual(origin);
  }
  await again.close();
});

it('never serves a block that was half written when the process ended, and clears it away', async () => {
  const root = await temporaryDirectory();
  const store = await reopen(root);
  const writer = await store.create(described(LARGE));
  await writer.write(LARGE);
  const small = await store.create(described(SMALL));
  await small.write(SMALL);
  // The store is left as it is: a second one opens the directory as after kill -9.
  const again = await reopen(root);
  expect(again.list(undefined, 10)).toEqual([]);
  expect(await readdir(join(root, 'incoming'))).toEqual([]);
  await again.close();
  await store.close();
});

it('leaves nothing in incoming/ after commits, aborts, mismatches and a close in the middle', async () => {
  const root = await temporaryDirectory();
  const store = await reopen(root);
  await Promise.all([put(store, LARGE), put(store, LARGE)]);
  await (await store.create(described(LARGE))).abort();
  const wrong = await store.create(described(LARGE));
  await expect(wrong.commit()).rejects.toMatchObject({ code: 'STORAGE_HASH_MISMATCH' });
  const unfinished = await store.create(described(patterned(90_000)));
  await unfinished.write(patterned(50_000));
  expect(await readdir(join(root, 'incoming'))).toHaveLength(1);
  await store.close();
  expect(await readdir(join(root, 'incoming'))).toEqual([]);
});

it('takes an abort while a write is under way without being latched by it', async () => {
  const store = await reopen(await temporaryDirectory());
  const data = patterned(4 * MIB);
  const writer = await store.create(described(data));
  const writes = [0, 1, 2].map((at) => writer.write(data.subarray(at * MIB, (at + 1) * MIB)));
  await writer.abort();
  await Promise.allSettled(writes);
  await put(store, data);
  await store.close();
});

describe('a damaged block', () => {
  const dataEnd = LARGE.length;
  const fileEnd = dataEnd + 5 * 4 + 1024;
  it.each([
    ['in the data', 100_000],
    ['in the last byte of the data', dataEnd - 1],
    ['in the checksum table', dataEnd + 3],
    ['in the trailer', dataEnd + 30],
    ['in the last byte of the file', fileEnd - 1],
  ])('with a flipped bit %s is noticed at byte %i', async (_where, at) => {
    const { store, path, hash } = await withLarge();
    await flip(path, at);
    await expect(readAll(store, hash)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_BLOCK' });
    expect(await store.verify(hash)).toBe(false);
    await store.close();
  });

  it('still serves the ranges that are whole', async () => {
    const { store, path, hash } = await withLarge();
    await flip(path, 70_000);
    expectBytes(await readAll(store, hash, { offset: 10, length: 65_000 }), LARGE.subarray(10, 65_010));
    await expect(readAll(store, hash, { offset: 65_000, length: 1000 })).rejects.toMatchObject({
      code: 'STORAGE_CORRUPT_BLOCK',
    });
    await store.close();
  });

  it('that is cut short, replaced by another, or gone is noticed, and can be quarantined', async () => {
    for (const damage of [
      (path: string) => truncate(path, 200_000),
      (path: string) => rm(path),
      async (path: string, other: string) => await rename(other, path),
    ]) {
      const { store, path, hash, root } = await withLarge();
      const other = await put(store, patterned(LARGE.length, 5));
      await damage(path, fileOf(root, other.hash));
      await expect(readAll(store, hash)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_BLOCK' });
      await expect(store.origin(hash)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_BLOCK' });
      await store.quarantine(hash, BAD);
      await put(store, LARGE);
      expect(await store.verify(hash)).toBe(true);
      await store.close();
    }
  });

  it('of an impossible size is not taken up at the next start', async () => {
    const { store, path, hash, root } = await withLarge();
    await store.close();
    await truncate(path, 10);
    await writeFile(join(root, 'blocks', '00', 'README'), 'not a block');
    const again = await reopen(root);
    expect(again.has(hash)).toBe(false);
    await put(again, LARGE);
    expect(await again.verify(hash)).toBe(true);
    await again.close();
  });

  it('among the packed ones is noticed, and put aside by quarantine', async () => {
    const root = await temporaryDirectory();
    const store = await reopen(root);
    const { hash } = await put(store, SMALL);
    const database = await SqliteConnection.open(join(root, 'packed.db'), { format: 1, schema: [] });
    await database.run(`UPDATE packed SET data = zeroblob(length(data))`);
    await database.close();
    await expect(readAll(store, hash)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_BLOCK' });
    expect(await store.verify(hash)).toBe(false);
    await store.quarantine(hash, BAD);
    expect(store.quarantined(undefined, 10)).toEqual([{ hash, sizeBytes: SMALL.length, ...BAD }]);
    await store.close();
    const again = await reopen(root);
    expect(again.has(hash)).toBe(false);
    await again.close();
  });
});

it('keeps quarantined blocks and why they are, over restarts, and brings them back after one', async () => {
  const root = await temporaryDirectory();
  const store = await reopen(root);
  const blocks = await Promise.all([put(store, LARGE), put(store, SMALL)]);
  for (const { hash } of blocks) await store.quarantine(hash, GARBAGE);
  await store.close();
  const again = await reopen(root);
  expect(again.list(undefined, 10)).toEqual([]);
  expect(again.quarantined(undefined, 10)).toEqual(
    blocks
      .map(({ hash, sizeBytes }) => ({ hash, sizeBytes, ...GARBAGE }))
      .toSorted((a, b) => (a.hash < b.hash ? -1 : 1)),
  );
  for (const { hash } of blocks) expect(await again.release(hash)).toBe(true);
  await again.close();
  const last = await reopen(root);
  for (const { hash } of blocks) expect(await last.verify(hash)).toBe(true);
  await last.close();
});

it('drops what was written for a copy that was brought back meanwhile only where that one is whole', async () => {
  for (const isRotten of [false, true]) {
    const { store, hash, root } = await withLarge();
    await store.quarantine(hash, GARBAGE);
    const writer = await store.create(described(LARGE));
    await writer.write(LARGE);
    const [aside = ''] = await readdir(join(root, 'quarantine'));
    if (isRotten) await flip(join(root, 'quarantine', aside), 100_000);
    expect(await store.release(hash)).toBe(true);
    if (isRotten) await expect(writer.commit()).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_BLOCK' });
    else await writer.commit();
    expect(await readdir(join(root, 'incoming'))).toEqual([]);
    await store.close();
  }
});

it('tells of bad copies what they were part of, as far as it can still be read', async () => {
  const root = await temporaryDirectory();
  const origin = { fileId: 3, pathHint: '/a/b', position: 1, write: new Uint8Array([1, 0, 255]) };
  const store = await reopen(root);
  const hashes: string[] = [];
  for (const sizeBytes of [1000, 200 * KIB]) {
    const block = { ...described(patterned(sizeBytes)), origin };
    const { hash } = block;
    await store.storeAll([{ ...block, data: patterned(sizeBytes) }]);
    await store.quarantine(hash, BAD);
    expect(await store.quarantinedOrigins(hash)).toEqual([origin]);
    hashes.push(hash);
  }
  await store.close();
  const [small = '', large = ''] = hashes;
  const rows = await SqliteConnection.open(join(root, 'packed.db'), { format: 1, schema: [] });
  await rows.run('UPDATE quarantined SET origin = CAST(\'{"fileId": "rot\' AS BLOB)');
  await rows.close();
  const file = (await readdir(join(root, 'quarantine'))).find((name) => name.startsWith(large)) ?? '';
  await using handle = await open(join(root, 'quarantine', file), 'r+');
  await handle.write(new Uint8Array(100), 0, 100, (await handle.stat()).size - 100);
  const again = await reopen(root);
  expect(await again.quarantinedOrigins(small)).toEqual([]);
  expect(await again.quarantinedOrigins(large)).toEqual([]);
  await again.close();
});

it('takes what an earlier release put aside for a bad copy, as it was', async () => {
  const { store, hash, root, path } = await withLarge();
  await store.close();
  await rename(path, join(root, 'quarantine', hash));
  await writeFile(join(root, 'quarantine', 'notes.txt'), 'mine');
  const again = await reopen(root);
  expect(again.quarantined(undefined, 10)).toMatchObject([
    { hash, reason: 'corrupt', sizeBytes: LARGE.length },
  ]);
  await again.purge(hash);
  expect(await readdir(join(root, 'quarantine'))).toEqual(['notes.txt']);
  await again.close();
});

it('gives the room of small blocks back to the file system', async () => {
  const root = await temporaryDirectory();
  const store = await reopen(root);
  const blocks = await Promise.all(
    Array.from({ length: 120 }, (_, seed) => put(store, patterned(60 * KIB, seed))),
  );
  await Promise.all(blocks.map(({ hash }) => store.quarantine(hash, GARBAGE)));
  await Promise.all(blocks.map(({ hash }) => store.purge(hash)));
  let steps = 0;
  while (await store.reclaim()) steps += 1;
  expect(steps).toBeGreaterThan(1);
  expect(await store.reclaim()).toBe(false);
  let bytes = 0;
  for (const name of ['packed.db', 'packed.db-wal']) bytes += (await stat(join(root, name))).size;
  expect(bytes).toBeLessThan(2 * MIB);
  await store.close();
});

it('lets many small blocks share few transactions', async () => {
  const store = await reopen(await temporaryDirectory());
  const before = store.packedTransactionCount;
  await Promise.all(Array.from({ length: 200 }, (_, seed) => put(store, patterned(500 + seed, seed))));
  expect((await store.usage()).blockCount).toBe(200);
  expect(store.packedTransactionCount - before).toBeLessThan(20);
  await store.close();
});

it('says STORAGE_FULL, and keeps nothing, when the reserve would be touched', async () => {
  const root = await temporaryDirectory();
  const store = await reopen(root, { reserveBytes: Number.MAX_SAFE_INTEGER / 2 });
  await expect(store.create(described(LARGE))).rejects.toMatchObject({
    code: 'STORAGE_FULL',
    kind: 'unavailable',
  });
  await expect(store.create(described(SMALL))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  expect((await store.usage()).freeBytes).toBe(0);
  expect(await readdir(join(root, 'incoming'))).toEqual([]);
  await store.close();
});

it('keeps of an over-long path hint the end, in whole characters', async () => {
  const store = await reopen(await temporaryDirectory());
  for (const data of [SMALL, LARGE]) {
    const block = {
      ...described(data),
      origin: { fileId: 1, pathHint: `/${'é'.repeat(900)}/x.txt`, position: 0 },
    };
    const writer = await store.create(block);
    await writer.write(data);
    await writer.commit();
    const { pathHint } = await store.origin(block.hash);
    expect(pathHint).toMatch(/^é+\/x\.txt$/);
    expect(Buffer.byteLength(pathHint)).toBeGreaterThan(940);
  }
  await store.close();
});

it('latches when a block cannot be published: later blocks are refused, old ones still served', async () => {
  const root = await temporaryDirectory();
  const store = await reopen(root);
  const { hash } = await put(store, LARGE);
  const lost = patterned(200 * KIB, 3);
  const directory = join(root, 'blocks', described(lost).hash.slice(0, 2));
  await rm(directory, { recursive: true });
  await expect(put(store, lost)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  await mkdir(directory);
  await expect(put(store, lost)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  expect(await readdir(join(root, 'incoming'))).toEqual([]);
  expectBytes(await readAll(store, hash), LARGE);
  await store.close();
});

it('writes block files that only their owner may read', async () => {
  const { store, path } = await withLarge();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await store.close();
});

interface WithLarge {
  readonly store: FileBlockStore;
  readonly path: string;
  readonly hash: string;
  readonly root: string;
}

async function withLarge(): Promise<WithLarge> {
  const root = await temporaryDirectory();
  const store = await reopen(root);
  const { hash } = await put(store, LARGE);
  return { store, path: fileOf(root, hash), hash, root };
}

function reopen(
  root: string,
  options: { capacityBytes?: number; reserveBytes?: number } = {},
): Promise<FileBlockStore> {
  return openBlockStore(root, { reserveBytes: 0, logger: silentLogger, ...options });
}

function fileOf(root: string, hash: string): string {
  return join(root, 'blocks', hash.slice(0, 2), hash);
}

async function flip(path: string, at: number): Promise<void> {
  await using handle = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await handle.write(byte, 0, 1, at);
}
