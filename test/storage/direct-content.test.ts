/** @module Large blocks are written past the page cache where that is possible, and are the same where it is not. */
import { constants } from 'node:fs';
import { type FileHandle, mkdtemp, open, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KIB, MIB } from '../../src/common/bytes.ts';
import { silentLogger } from '../../src/common/logger.ts';
import type { BlockWriter } from '../../src/storage/block-store.ts';
import { type FileBlockStore, openBlockStore } from '../../src/storage/file-block-store.ts';
import { described, expectBytes, patterned, put, readAll } from './block-store.suite.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const SLOT_BYTES = MIB;
const MAX_FILES = 16;

describe('a large block', async () => {
  const isPossible = await canWriteDirectly();
  let prototype: FileHandle;
  let store: FileBlockStore;

  beforeEach(async () => {
    const root = await temporaryDirectory();
    await using handle = await open(root, 'r');
    prototype = Object.getPrototypeOf(handle) as FileHandle;
    store = await openBlockStore(root, { reserveBytes: 0, logger: silentLogger });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    await store.close();
  });

  const stored = async (sizeBytes: number, pieceBytes: number): Promise<void> => {
    const bytes = patterned(sizeBytes, sizeBytes + pieceBytes);
    const writer = await store.create(described(bytes));
    let leftBytes = 0;
    for (let from = 0; from < sizeBytes; from += pieceBytes) {
      // Whoever was told that a piece was left may write over it.
      const piece = Uint8Array.from(bytes.subarray(from, from + pieceBytes));
      await writer.write(piece, () => {
        leftBytes += piece.length;
        piece.fill(0);
      });
    }
    await writer.commit();
    expect(leftBytes).toBe(sizeBytes);
    expectBytes(await readAll(store, described(bytes).hash), bytes);
  };

  it.each([
    [SLOT_BYTES, 256 * KIB],
    [SLOT_BYTES + 1, 256 * KIB],
    [2 * SLOT_BYTES - 1, 100_003],
    [3 * SLOT_BYTES + 12_345, 384 * KIB - 13],
    [4 * SLOT_BYTES, 4 * SLOT_BYTES],
    [5 * SLOT_BYTES + 511, 3 * SLOT_BYTES + 1],
  ])('of %i bytes, in pieces of %i, comes back byte for byte', async (sizeBytes, pieceBytes) => {
    await stored(sizeBytes, pieceBytes);
  });

  it.runIf(isPossible && process.platform === 'linux')(
    'that is given up while it is written leaves no file open, and its memory to the next',
    async () => {
      const [given, next] = [patterned(4 * SLOT_BYTES, 1), patterned(2 * SLOT_BYTES, 2)];
      const writer = await store.create(described(given));
      const writing = writer.write(given);
      await writer.abort();
      await put(store, next);
      await writing;
      expectBytes(await readAll(store, described(next).hash), next);
      const fds = await readdir('/proc/self/fd');
      const paths = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
      expect(paths.filter((path) => path.includes('/incoming/'))).toEqual([]);
    },
  );

  it.runIf(isPossible)('goes past the page cache by whole slots, all but its end', async () => {
    const writes = vi.spyOn(prototype, 'write');
    await stored(3 * SLOT_BYTES + 5, 256 * KIB);
    const parts = (writes.mock.calls as readonly unknown[][]).map((call) => call.slice(1));
    expect(parts).toEqual([0, 1, 2].map((at) => [0, SLOT_BYTES, at * SLOT_BYTES]));
  });

  it.runIf(isPossible)('goes through the page cache once the file system has refused', async () => {
    const writes = vi.spyOn(prototype, 'write').mockRejectedValueOnce(systemError('EINVAL'));
    await stored(2 * SLOT_BYTES, 256 * KIB);
    const tried = writes.mock.calls.length;
    await stored(2 * SLOT_BYTES + 1, 256 * KIB);
    expect(writes.mock.calls.length).toBe(tried);
  });

  it.runIf(isPossible)('is whole after a write that was cut short', async () => {
    const write = prototype.write as WriteBytes;
    vi.spyOn(prototype, 'write').mockImplementationOnce(function (this: FileHandle, bytes: Uint8Array) {
      return write.call(this, bytes, 0, 64 * KIB, 0);
    } as FileHandle['write']);
    await stored(2 * SLOT_BYTES, 256 * KIB);
  });

  it.runIf(isPossible)('is not believed after EIO, though the next write would succeed', async () => {
    vi.spyOn(prototype, 'write').mockRejectedValueOnce(systemError('EIO'));
    const failed = patterned(3 * SLOT_BYTES, 1);
    await expect(put(store, failed)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(put(store, patterned(SLOT_BYTES, 2))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(store.has(described(failed).hash)).toBe(false);
  });

  it('goes through the page cache where there are no addresses for such memory', async () => {
    const writes = vi.spyOn(prototype, 'write');
    vi.stubGlobal('WebAssembly', { Memory: noMemory });
    await stored(2 * SLOT_BYTES + 1, 256 * KIB);
    expect(writes).not.toHaveBeenCalled();
  });

  it('is written beside more others than there is memory for, and leaves that memory to later ones', async () => {
    const many = Array.from({ length: MAX_FILES + 4 }, (_, at) => patterned(SLOT_BYTES + at, at));
    const begun: [BlockWriter, Uint8Array][] = [];
    for (const bytes of many) begun.push([await store.create(described(bytes)), bytes]);
    await Promise.all(begun.map(([writer, bytes]) => writer.write(bytes)));
    const [aborted, ...others] = begun;
    await aborted?.[0].abort();
    await Promise.all(others.map(([writer]) => writer.commit()));
    for (const [, bytes] of others) expectBytes(await readAll(store, described(bytes).hash), bytes);
    const writes = vi.spyOn(prototype, 'write');
    const later = Array.from({ length: MAX_FILES }, (_, at) => patterned(SLOT_BYTES, 100 + at));
    await Promise.all(later.map((bytes) => put(store, bytes)));
    expect(writes.mock.calls.length).toBe(isPossible ? MAX_FILES : 0);
    for (const bytes of later) expectBytes(await readAll(store, described(bytes).hash), bytes);
  });
});

/** The one of its signatures that is used. */
type WriteBytes = (
  this: FileHandle,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesWritten: number; buffer: Uint8Array }>;

async function canWriteDirectly(): Promise<boolean> {
  if (constants.O_DIRECT === undefined) return false;
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-direct-'));
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_DIRECT;
    await (await open(join(directory, 'probe'), flags)).close();
    return true;
  } catch {
    return false;
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** In the place of a constructor. */
function noMemory(): never {
  throw new RangeError('WebAssembly.Memory(): could not allocate memory');
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: write`), { code });
}
