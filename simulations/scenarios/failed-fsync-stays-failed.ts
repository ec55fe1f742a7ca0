/** @module S11: an fsync that failed once and succeeds the next time has lost what it was for (cockroach#37102, fsyncgate). */
import { equal, rejects } from 'node:assert/strict';
import type { BugScenario } from '../bug-scenario.ts';
import { entry } from '../manual-raft.ts';
import { append, logOnFailingDisk, reopen } from '../sqlite-log-by-hand.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

export const scenario: BugScenario = {
  claim: 'after one failed write every later one fails too, until the log is opened anew',
  async run() {
    await using directory = await temporaryDirectory();
    const { path, disk, log } = await logOnFailingDisk(directory.path);
    await append(log, entry(1, 1));
    disk.fail('before', 'EIO');
    await rejects(append(log, entry(1, 2)), { code: 'STORAGE_FAILED' });
    disk.heal();
    await rejects(append(log, entry(1, 2)), { code: 'STORAGE_FAILED' });
    await log.close();
    const again = await reopen(path);
    equal(again.lastIndex(), 1);
    await append(again, entry(1, 2));
    await again.close();
  },
};
