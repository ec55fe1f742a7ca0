/** @module Blocks on a disk that fails at any call: a clear error, nothing acknowledged lost, nothing half written shown. */
import { readlinkSync } from 'node:fs';
import { type FileHandle, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KIB } from '../../src/common/bytes.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { type FileBlockStore, openBlockStore } from '../../src/storage/file-block-store.ts';
import { BlockFileWriter } from '../../src/storage/block-file-writer.ts';
import { FileShelf } from '../../src/storage/file-shelf.ts';
import { described, expectBytes, patterned, put, readAll } from './block-store.suite.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const KEPT = patterned(200 * KIB, 1);
const FAILED = patterned(200 * KIB, 2);
const LATER = patterned(200 * KIB, 3);

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a disk that fails while a block is put', () => {
  let root: string;
  let store: FileBlockStore;
  let kept: string;

  beforeEach(async () => {
    root = await temporaryDirectory();
    store = await reopen(root);
    kept = (await put(store, KEPT)).hash;
  });
  afterEach(async () => {
    await store.close();
  });

  const expectOnlyKept = async (): Promise<void> => {
    expectBytes(await readAll(store, kept), KEPT);
    expect(store.has(described(FAILED).hash)).toBe(false);
    expect(await readdir(join(root, 'incoming'))).toEqual([]);
  };

  it.each(['writev', 'datasync', 'sync'] as const)(
    'with EIO at %s is believed no more, though the next call would succeed',
    async (call) => {
      await failOnce(root, call, 'EIO');
      await expect(put(store, FAILED)).rejects.toMatchObject({ code: 'STORAGE_FAILED', kind: 'broken' });
      await expect(put(store, LATER)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      await expectOnlyKept();
      await store.close();
      store = await reopen(root);
      await put(store, LATER);
      expectBytes(await readAll(store, kept), KEPT);
    },
  );

  it('and does not let go of what was written either is believed no more for the first of the two', async () => {
    await failOnce(root, 'writev', 'EIO');
    const { discard } = BlockFileWriter.prototype;
    vi.spyOn(BlockFileWriter.prototype, 'discard').mockImplementationOnce(async function (
      this: BlockFileWriter,
    ) {
      await discard.call(this);
      throw systemError('EROFS', 'rm');
    });
    await expect(put(store, FAILED)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('EIO'),
    });
    expect(store.isReadOnly).toBe(true);
    expectBytes(await readAll(store, kept), KEPT);
  });

  it.each(['writev', 'datasync'] as const)(
    'with ENOSPC at %s keeps nothing of the block, and takes others once there is room',
    async (call) => {
      await failOnce(root, call, 'ENOSPC');
      await expect(put(store, FAILED)).rejects.toMatchObject({ code: 'STORAGE_FULL', kind: 'unavailable' });
      await expectOnlyKept();
      await put(store, LATER);
      await put(store, FAILED);
      expectBytes(await readAll(store, described(FAILED).hash), FAILED);
    },
  );
});

describe('a process that has too many files open', () => {
  let store: FileBlockStore;

  beforeEach(async () => {
    store = await reopen(await temporaryDirectory());
  });
  afterEach(async () => {
    await store.close();
  });

  it.each(['EMFILE', 'ENFILE'])(
    'says so at %s, to writers and readers, and goes on with the next',
    async (code) => {
      const { hash } = await put(store, KEPT);
      const tooMany = systemError(code, 'open');
      vi.spyOn(FileShelf.prototype, 'begin').mockRejectedValueOnce(tooMany);
      vi.spyOn(FileShelf.prototype, 'read').mockImplementationOnce(() => {
        throw tooMany;
      });
      const refusal = { code: 'STORAGE_OUT_OF_HANDLES', kind: 'unavailable' };
      await expect(put(store, LATER)).rejects.toMatchObject(refusal);
      await expect(store.verify(hash)).rejects.toMatchObject(refusal);
      expect(store.isReadOnly).toBe(false);
      await put(store, LATER);
      expect(await store.verify(hash)).toBe(true);
    },
  );

  it('does not begin again on a directory that takes no file for another reason', async () => {
    vi.spyOn(FileShelf.prototype, 'begin').mockRejectedValueOnce(systemError('EROFS', 'open'));
    await expect(put(store, FAILED)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(store.isReadOnly).toBe(true);
    await expect(put(store, LATER)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});

describe('on a disk that takes no changes any more', () => {
  it.each([200 * KIB, 1000])(
    'a rotten copy of %i bytes is held no longer, a good one goes on being served',
    async (sizeBytes) => {
      const root = await temporaryDirectory();
      const store = await reopen(root);
      const rotten = await put(store, patterned(sizeBytes, 8));
      const good = await put(store, patterned(sizeBytes, 9));
      await failOnce(root, 'datasync', 'EIO');
      await expect(put(store, FAILED)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      const note = { era: 0, index: 0, sinceMs: 1 };
      const failed = { code: 'STORAGE_FAILED' };
      await expect(store.quarantine(rotten.hash, { ...note, reason: 'corrupt' })).rejects.toMatchObject(
        failed,
      );
      await expect(store.quarantine(good.hash, { ...note, reason: 'garbage' })).rejects.toMatchObject(failed);
      await expect(store.remove(good.hash)).rejects.toMatchObject(failed);
      expect([store.has(rotten.hash), store.has(good.hash)]).toEqual([false, true]);
      expect(store.combined(rotten.hash.slice(0, 3)).count).toBe(0);
      expect(await store.verify(good.hash)).toBe(true);
      await store.close();
      // Nothing was changed: the next start finds both.
      const again = await reopen(root);
      expect(again.list(undefined, 10)).toHaveLength(2);
      await again.close();
    },
  );
});

describe('a file that the disk cannot read', () => {
  it.each([
    ['EIO', -5],
    ['EBADMSG', -74],
    ['Unknown system error -117', -117],
  ])('with %s is a bad copy, which goes out of service', async (code, errno) => {
    const root = await temporaryDirectory();
    const store = await reopen(root);
    const { hash } = await put(store, KEPT);
    await using handle = await open(root, 'r');
    const error = Object.assign(systemError(code, 'read'), { errno });
    vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, 'read').mockRejectedValue(error);
    expect(await store.verify(hash)).toBe(false);
    vi.restoreAllMocks();
    expect(await store.verify(hash)).toBe(true);
    await store.close();
  });
});

describe('at the start', () => {
  it('says that the small blocks are damaged, and keeps all files', async () => {
    const root = await temporaryDirectory();
    const store = await reopen(root);
    const { hash } = await put(store, KEPT);
    await put(store, patterned(1000));
    await store.close();
    await spoil(join(root, 'packed.db'));
    await expect(reopen(root)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_PACKED', kind: 'broken' });
    await rename(join(root, 'packed.db'), join(root, 'elsewhere'));
    const again = await reopen(root);
    expect(again.list(undefined, 10)).toEqual([{ hash, sizeBytes: KEPT.length }]);
    await again.close();
  });

  it('puts a damaged file of further origins aside: it holds no block', async () => {
    const root = await temporaryDirectory();
    const store = await reopen(root);
    const { hash, origin } = await put(store, KEPT);
    await store.describe(hash, { fileId: 2, pathHint: '/again', position: 0 });
    await store.close();
    await spoil(join(root, 'origins.db'));
    for (let start = 0; start < 2; start += 1) {
      const again = await reopen(root);
      expect(await again.verify(hash)).toBe(true);
      expect(await again.origins(hash)).toEqual([origin]);
      expect(await readdir(root)).toContain('origins.db.damaged');
      await again.close();
    }
  });
});

/** Its first pages are no longer SQLite's. */
async function spoil(path: string): Promise<void> {
  await using file = await open(path, 'r+');
  await file.write(Buffer.alloc(64 * KIB, 0xee), 0, 64 * KIB, 0);
}

describe('what a process left that was killed before its fsync', () => {
  it('is durable before it counts: the names of blocks, and the file of small ones', async () => {
    const root = await temporaryDirectory();
    const store = await reopen(root);
    const { hash } = await put(store, KEPT);
    await put(store, patterned(1000));
    // Left as it is: a second one opens the directory as after kill -9.
    const synced = await watchSyncs(root);
    const again = await reopen(root);
    expect(again.has(hash)).toBe(true);
    expect(synced).toContain(join(root, 'blocks', hash.slice(0, 2)));
    expect(synced).toContain(join(root, 'packed.db'));
    expect(synced).toContain(join(root, 'packed.db-wal'));
    await again.close();
    await store.close();
  });
});

/** Paths of what is fsynced from now on. */
async function watchSyncs(root: string): Promise<readonly string[]> {
  const paths: string[] = [];
  await using handle = await open(root, 'r');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  const sync = prototype.sync;
  vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    paths.push(readlinkSync(`/proc/self/fd/${this.fd}`));
    await sync.call(this);
  });
  return paths;
}

/** The next call of this kind on any file fails, as the kernel reports it; those after it succeed. */
async function failOnce(root: string, call: 'writev' | 'datasync' | 'sync', code: string): Promise<void> {
  await using handle = await open(root, 'r');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  vi.spyOn(prototype, call).mockRejectedValueOnce(systemError(code, call));
}

function systemError(code: string, call: string): Error {
  return Object.assign(new Error(`${code}: ${call}`), { code });
}

function reopen(root: string): Promise<FileBlockStore> {
  return openBlockStore(root, { reserveBytes: 0, logger: silentLogger });
}
