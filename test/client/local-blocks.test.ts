/** @module Reading a datanode's files beside it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LocalBlocks } from '../../src/client/local-blocks.ts';
import { MIB, toHex } from '../../src/common/bytes.ts';
import { systemClock } from '../../src/common/clock.ts';
import { sha256 } from '../../src/common/hashing.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { MessageHasher } from '../../src/common/message-hasher.ts';
import { blockFilePath } from '../../src/storage/block-directory.ts';
import { type FileBlockStore, openBlockStore } from '../../src/storage/file-block-store.ts';
import { contents } from './bytes.ts';

const BYTES = contents(2 * MIB, 'local');
const HASH = sha256(BYTES);
const BLOCK = { hash: HASH, sizeBytes: BYTES.length };

const hasher = new MessageHasher({ clock: systemClock });

let directory: string;
let store: FileBlockStore;
let local: LocalBlocks;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-local-'));
  store = await openBlockStore(join(directory, 'blocks'), { reserveBytes: 0, logger: silentLogger });
  local = new LocalBlocks({ hasher, logger: silentLogger }, { nodeDir: directory });
  const origin = { fileId: 1, pathHint: '/f', position: 0 };
  const writer = await store.create({ hash: toHex(HASH), sizeBytes: BYTES.length, origin });
  await writer.write(new Uint8Array(BYTES));
  await writer.commit();
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const read = async (offset: number, length: number): Promise<Buffer | undefined> => {
  const pieces = await local.read(BLOCK, { offset, length });
  return pieces && Buffer.concat(pieces);
};

it('gives a block, or a part of it, of a datanode that runs', async () => {
  expect((await read(0, BYTES.length))?.equals(BYTES)).toBe(true);
  expect((await read(100_000, 1_234))?.equals(BYTES.subarray(100_000, 101_234))).toBe(true);
});

it('reads the next block over pieces that were taken back, and over no others', async () => {
  const whole = { offset: 0, length: BYTES.length };
  const kept = (await local.read(BLOCK, whole)) ?? [];
  const [lent] = (await local.read(BLOCK, whole)) ?? [];
  expect(lent).toBeDefined();
  if (lent === undefined) return;
  expect(local.takeBack(lent)).toBe(true);
  expect(local.takeBack(lent), 'a second time').toBe(false);
  expect(local.takeBack(new Uint8Array(lent.length)), "somebody else's").toBe(false);
  const next = (await local.read(BLOCK, whole)) ?? [];
  expect(next.filter(({ buffer }) => buffer === lent.buffer)).toHaveLength(1);
  expect([...kept, ...next].filter(({ buffer }) => kept.some((each) => each.buffer === buffer))).toEqual(
    kept,
  );
  expect(Buffer.concat(next).equals(BYTES)).toBe(true);
});

it('gives nothing of a rotten copy, of one taken out of service, or where there is no datanode', async () => {
  const path = blockFilePath(join(directory, 'blocks'), toHex(HASH));
  const bytes = await readFile(path);
  bytes[MIB] = (bytes[MIB] ?? 0) ^ 1;
  await writeFile(path, bytes);
  expect(await read(0, BYTES.length)).toBeUndefined();
  expect(await read(MIB, 1)).toBeUndefined();
  await store.quarantine(toHex(HASH), { reason: 'corrupt', era: 0, index: 0, sinceMs: 0 });
  expect(await read(0, BYTES.length)).toBeUndefined();
  local = new LocalBlocks({ hasher, logger: silentLogger }, { nodeDir: join(directory, 'elsewhere') });
  expect(await read(0, 1)).toBeUndefined();
});
