/** @module Blocks on a disk that fails at any call: a clear error, nothing acknowledged lost, nothing half written shown. */
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KIB } from '../../src/common/bytes.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { type FileBlockStore, openBlockStore } from '../../src/storage/file-block-store.ts';
import { described, expectBytes, patterned, put, readAll } from './block-store.suite.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const KEPT = patterned(200 * KIB, 1);
const FAILED = patterned(200 * KIB, 2);
const LATER = patterned(200 * KIB, 3);

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
    vi.restoreAllMocks();
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

/** The next call of this kind on any file fails, as the kernel reports it; those after it succeed. */
async function failOnce(root: string, call: 'writev' | 'datasync' | 'sync', code: string): Promise<void> {
  await using handle = await open(root, 'r');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  vi.spyOn(prototype, call).mockRejectedValueOnce(Object.assign(new Error(`${code}: ${call}`), { code }));
}

function reopen(root: string): Promise<FileBlockStore> {
  return openBlockStore(root, { reserveBytes: 0, logger: silentLogger });
}
