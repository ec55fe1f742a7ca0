/** @module S39: the disk is full, or fails, at each write of the Raft log in turn (etcd's failpoints around its saves). */
import { equal, ok, rejects } from 'node:assert/strict';
import type { BugScenario } from '../bug-scenario.ts';
import type { Fault } from '../failing-disk.ts';
import { entry } from '../manual-raft.ts';
import { append, logOnFailingDisk, reopen } from '../sqlite-log-by-hand.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const ACKNOWLEDGED = 3;
const FAULTS: readonly Fault[] = ['before', 'after', 'mark'];

export const scenario: BugScenario = {
  claim: 'a write that failed, wherever it failed, is not acknowledged, and takes nothing with it that was',
  async run() {
    for (const fault of FAULTS) {
      await using directory = await temporaryDirectory();
      const { path, disk, log } = await logOnFailingDisk(directory.path);
      for (let index = 1; index <= ACKNOWLEDGED; index += 1) await append(log, entry(1, index));
      disk.fail(fault, 'ENOSPC');
      await rejects(append(log, entry(1, ACKNOWLEDGED + 1)), { code: 'STORAGE_FAILED' });
      disk.heal();
      await log.close();
      const again = await reopen(path);
      ok(again.lastIndex() >= ACKNOWLEDGED);
      equal(again.term(ACKNOWLEDGED), 1);
      await again.close();
    }
  },
};
