/** @module How fast disk and network are, measured and looked up. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { DiskRate } from '../../src/node/disk-rate.ts';
import { linkRate } from '../../src/node/link-rate.ts';

const { signal } = new AbortController();
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-rates-'));
});
afterEach(() => rm(directory, { recursive: true }));

it('measures the disk a moment after the start, once, and leaves nothing there', async () => {
  const rate = new DiskRate({ clock: systemClock }, { directory, reserveBytes: 0 });
  expect(await rate.work(signal)).toBe('idle');
  expect(rate.bytesPerSecond).toBeUndefined();
  expect(await rate.work(signal)).toBe('done');
  expect(rate.bytesPerSecond).toBeGreaterThan(0);
  expect(await readdir(directory)).toEqual([]);
});

it('measures nothing on a disk that is nearly full', async () => {
  const rate = new DiskRate({ clock: systemClock }, { directory, reserveBytes: Number.MAX_SAFE_INTEGER });
  await rate.work(signal);
  expect(await rate.work(signal)).toBe('done');
  expect(rate.bytesPerSecond).toBeUndefined();
});

it('takes the fastest interface that is up and says how fast it is', async () => {
  const add = async (name: string, state: string, speed: string): Promise<void> => {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, 'operstate'), `${state}\n`);
    await writeFile(join(directory, name, 'speed'), `${speed}\n`);
  };
  expect(await linkRate(directory)).toBeUndefined();
  await add('veth0', 'up', '-1');
  expect(await linkRate(directory)).toBeUndefined();
  await add('eth0', 'up', '1000');
  await add('eth1', 'down', '10000');
  expect(await linkRate(directory)).toBe(125_000_000);
  expect(await linkRate(join(directory, 'nowhere'))).toBeUndefined();
});
