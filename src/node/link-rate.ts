/** @module How fast this machine's network is, as its kernel says (Linux: /sys/class/net). */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const INTERFACES = '/sys/class/net';
const BYTES_PER_MEGABIT = 125_000;

/** Of the fastest interface that is up, in bytes per second; undefined where none says how fast it is. */
export async function linkRate(directory: string = INTERFACES): Promise<number | undefined> {
  const names = await readdir(directory).catch(() => []);
  const rates = await Promise.all(names.map((name) => megabits(join(directory, name))));
  const fastest = Math.max(0, ...rates);
  return fastest > 0 ? fastest * BYTES_PER_MEGABIT : undefined;
}

/** 0 for one that is down, or virtual: the kernel refuses to say, or says -1. */
async function megabits(path: string): Promise<number> {
  try {
    if ((await readFile(join(path, 'operstate'), 'utf8')).trim() !== 'up') return 0;
    return Math.max(0, Number(await readFile(join(path, 'speed'), 'utf8')) || 0);
  } catch {
    // Not Linux, or an interface without a speed: that is what 0 says.
    return 0;
  }
}
