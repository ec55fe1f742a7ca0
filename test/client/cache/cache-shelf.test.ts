/** @module Files that may be lost at any time: what stays when it is full, shared, emptied or left behind. */
import { chmod, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CacheShelf } from '../../../src/client/cache/cache-shelf.ts';
import { systemClock } from '../../../src/common/clock.ts';
import { KIB, MIB } from '../../../src/common/bytes.ts';
import { systemRandom } from '../../../src/common/random.ts';
import { contents } from '../bytes.ts';

const PIECE = contents(64 * KIB);
const HOUR_MS = 3_600_000;

let parent: string;
let directory: string;
let wallMs: number;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'holdfast-shelf-'));
  directory = join(parent, 'shelf');
  wallMs = systemClock.wallMs();
});
afterEach(() => rm(parent, { recursive: true }));

/** As another process would open it. */
function open(sizeBytes = MIB): CacheShelf {
  const clock = { ...systemClock, wallMs: () => wallMs };
  return new CacheShelf({ clock, random: systemRandom }, { directory, sizeBytes });
}

async function put(shelf: CacheShelf, name: string, bytes = PIECE): Promise<void> {
  wallMs += 10;
  await (await shelf.draft(name)).commit([bytes.subarray(0, 1_000), bytes.subarray(1_000)]);
  await utimes(join(directory, name), wallMs / 1000, wallMs / 1000).catch(() => {});
}

async function totalBytes(): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(directory)).map(async (name) => (await stat(join(directory, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

it('gives back what was put, to its owner only', async () => {
  const shelf = open();
  expect(await shelf.read('a')).toBeUndefined();
  await put(shelf, 'a');
  expect((await open().read('a'))?.equals(PIECE)).toBe(true);
  expect((await stat(join(directory, 'a'))).mode & 0o777).toBe(0o600);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
});

it('never takes more than it may, and keeps what was used last', async () => {
  const shelf = open();
  for (let number = 0; number < 16; number += 1) await put(shelf, `f${number}`);
  wallMs += 10;
  await shelf.read('f0');
  for (let number = 16; number < 20; number += 1) await put(shelf, `f${number}`);
  expect(await totalBytes()).toBeLessThanOrEqual(MIB);
  expect(await shelf.read('f0')).toBeDefined();
  expect(await shelf.read('f19')).toBeDefined();
  expect(await shelf.read('f1')).toBeUndefined();
});

it('stays near its bound when two processes fill it by turns', async () => {
  const shelves = [open(4 * MIB), open(4 * MIB)];
  for (let number = 0; number < 200; number += 1) await put(shelves[number % 2] as CacheShelf, `f${number}`);
  expect(await totalBytes()).toBeLessThanOrEqual(4 * MIB * (1 + 2 / 16));
});

it('keeps nothing that is larger than all of it', async () => {
  const shelf = open();
  await put(shelf, 'small');
  await put(shelf, 'large', contents(MIB + 1));
  expect(await readdir(directory)).toEqual(['small']);
});

it('does not put into place what was begun before it was emptied', async () => {
  const shelf = open();
  await put(shelf, 'old');
  const draft = await shelf.draft('new');
  await open().empty();
  await put(shelf, 'newer');
  await draft.commit([PIECE]);
  expect(await readdir(directory)).toEqual(['newer']);
  expect(await readdir(parent)).toEqual(['shelf']);
});

it('leaves nothing of a draft that is abandoned, and removes those of processes that ended', async () => {
  const shelf = open();
  await (await shelf.draft('a')).abandon();
  expect(await readdir(directory)).toEqual([]);
  await writeFile(join(directory, 'b.0123.new'), PIECE);
  await put(open(), 'c');
  expect(await readdir(directory)).toContain('b.0123.new');
  wallMs += 2 * HOUR_MS;
  await put(open(), 'd');
  expect(await readdir(directory)).not.toContain('b.0123.new');
});

it('tells of a disk that fails', async () => {
  await writeFile(directory, 'a file where the directory should be');
  await chmod(directory, 0o600);
  await expect(open().draft('a')).rejects.toThrow(/ENOTDIR|EEXIST/);
});
