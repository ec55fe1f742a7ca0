/** @module Room on the disk of the data directory, and how long it takes to make a write durable. */
import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { describeError } from '../../src/common/errors.ts';
import { BLOCK_RESERVE_BYTES } from '../../src/storage/block-room.ts';
import { formatBytes } from '../byte-size.ts';
import { check, type HealthCheck, LOW_SPACE, NO_SPACE } from '../health-check.ts';

const PROBE_BYTES = 4096;
const PROBES = 5;
/** Of the slowest probe: election timeouts begin at half a second, and a log entry waits for two disks. */
const SLOW_SYNC_MS = 100;
const BAD_SYNC_MS = 1_000;

export async function spaceCheck(directory: string): Promise<HealthCheck> {
  const { bavail, blocks, bsize } = await statfs(directory);
  return judgeSpace(directory, bavail * bsize, blocks * bsize);
}

export function judgeSpace(directory: string, freeBytes: number, totalBytes: number): HealthCheck {
  const finding = `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} are free at ${directory}`;
  if (freeBytes < BLOCK_RESERVE_BYTES) {
    const advice = `A datanode leaves ${formatBytes(BLOCK_RESERVE_BYTES)} free and takes no more blocks: free room, or drain it.`;
    return check('disk-space', 'fail', finding, advice);
  }
  const share = totalBytes === 0 ? 0 : freeBytes / totalBytes;
  if (share < NO_SPACE)
    return check('disk-space', 'fail', finding, 'Writes are about to fail: free room, or drain this node.');
  if (share < LOW_SPACE) return check('disk-space', 'warn', finding, 'Free room, or join another datanode.');
  return check('disk-space', 'ok', finding);
}

/** Writes a few small files beside the data and removes them again. */
export async function syncCheck(directory: string): Promise<HealthCheck> {
  let probe: string | undefined;
  try {
    probe = await mkdtemp(join(directory, 'doctor-'));
    let slowestMs = 0;
    for (let count = 0; count < PROBES; count += 1)
      slowestMs = Math.max(slowestMs, await timeSync(join(probe, `${count}`)));
    return judgeSync(slowestMs);
  } catch (error) {
    const finding = `A write to ${directory} failed: ${describeError(error)}`;
    return check('disk-sync', 'fail', finding, 'See to its rights and its disk (dmesg, smartctl).');
  } finally {
    if (probe !== undefined) await rm(probe, { recursive: true, force: true });
  }
}

export function judgeSync(slowestMs: number): HealthCheck {
  const finding = `the slowest of ${PROBES} durable writes took ${slowestMs.toFixed(1)} ms`;
  if (slowestMs >= BAD_SYNC_MS)
    return check('disk-sync', 'fail', finding, 'The disk is overloaded or failing (dmesg, smartctl).');
  if (slowestMs >= SLOW_SYNC_MS)
    return check('disk-sync', 'warn', finding, 'Every change waits for this: a faster disk helps.');
  return check('disk-sync', 'ok', finding);
}

async function timeSync(path: string): Promise<number> {
  await using handle = await open(path, 'wx', 0o600);
  const from = performance.now();
  await handle.write(new Uint8Array(PROBE_BYTES));
  await handle.sync();
  return performance.now() - from;
}
