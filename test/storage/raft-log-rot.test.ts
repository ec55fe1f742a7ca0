/** @module The database of a Raft log on a real file, flipped at every byte and cut short. */
import { describe, expect, it } from 'vitest';
import {
  type Acknowledged,
  flipped,
  imageOf,
  isRefusal,
  type LogImage,
  outcomesOf,
  range,
  size,
  truncated,
  writtenLog,
} from './damaged-log.ts';

/** A prime, so that every place within a page comes up. */
const STRIDE = 13;
/** Thousands of databases are opened. */
const LIMIT_MS = 120_000;

describe('a Raft log that was closed', { timeout: LIMIT_MS }, () => {
  it('loses nothing silently, whichever byte of the database has rotted', async () => {
    const { image, acknowledged } = await closedLog();
    const flips = range(0, size(image, '')).map((at) => flipped(image, '', at));
    const outcomes = await outcomesOf(flips, acknowledged);
    // Free space and counters of SQLite may rot without harm.
    expect(Object.keys(outcomes).toSorted()).toEqual(
      expect.arrayContaining(['STORAGE_CORRUPT_LOG', 'whole']),
    );
    expect(outcomes['STORAGE_CORRUPT_LOG']).toBeGreaterThan(flips.length / 4);
  });

  it('is refused wherever the database is cut', async () => {
    const { image, acknowledged } = await closedLog();
    const cuts = range(0, size(image, ''), STRIDE).map((at) => truncated(image, '', at));
    expect(Object.keys(await outcomesOf(cuts, acknowledged)).every(isRefusal)).toBe(true);
  });
});

async function closedLog(): Promise<{ image: LogImage; acknowledged: Acknowledged }> {
  const { path, log, acknowledged } = await writtenLog();
  await log.close();
  return { acknowledged, image: await imageOf(path) };
}
