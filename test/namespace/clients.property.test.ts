/**
 * @module Clients with sessions, leases and clocks of their own, on machines that crash, lag behind and are given copies of each
 * other: every answer is the one a simple model says, and every machine is the same to the last byte.
 *
 * HOLDFAST_RUNS says how many histories over memory (a sixth as many over SQLite), HOLDFAST_SEED which.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { openRowStore } from '../../src/storage/sqlite-row-store.ts';
import { temporaryDirectory } from '../storage/temporary-directory.ts';
import { History, play } from './client-history.ts';
import { someSteps } from './client-steps.ts';
import { type Disk, memoryDisk } from './replica.ts';

const RUNS = Number(process.env['HOLDFAST_RUNS'] ?? 12);
/** The same ones each time: what else there is to find is looked for with other seeds, and not by chance in a suite of tests. */
const SEED = Number(process.env['HOLDFAST_SEED'] ?? 1);

/** From one row to a handful: rows are evicted in the middle of a command that has read them. */
const cacheSizeBytes = fc.constantFrom(1, 400, 1000, 4000);

describe('clients of the namespace', () => {
  it('are answered as a simple model says, by machines that crash, lag behind and are copied, in memory', async () => {
    const copyPath = join(await temporaryDirectory(), 'copy');
    await fc.assert(
      fc.asyncProperty(someSteps(100), cacheSizeBytes, (steps, cache) => {
        const options = { cacheSizeBytes: cache, maxDirtyRows: 6 };
        return play(new History(memoryDisk(copyPath), memoryDisk(''), options), steps);
      }),
      { numRuns: RUNS, seed: SEED },
    );
  });

  it('are answered the same over SQLite', async () => {
    const directory = await temporaryDirectory();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(someSteps(60), cacheSizeBytes, (steps, cache) => {
        run += 1;
        const disk = (name: string): Disk => ({
          copyPath: join(directory, `copy-${run}`),
          open: () => openRowStore(join(directory, `${name}-${run}`)),
        });
        return play(new History(disk('main'), disk('other'), { cacheSizeBytes: cache }), steps);
      }),
      { numRuns: Math.ceil(RUNS / 6), seed: SEED },
    );
  });
});
