/** @module S14: SQLite ends its recovery at the first bad frame, so that rot looks to it like a torn tail (PAR/CTRL, FAST 2018). */
import { rejects } from 'node:assert/strict';
import { cp, stat, truncate } from 'node:fs/promises';
import type { BugScenario } from '../bug-scenario.ts';
import { entry } from '../manual-raft.ts';
import { append, logOnFailingDisk, reopen } from '../sqlite-log-by-hand.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

export const scenario: BugScenario = {
  claim: 'a log that has lost acknowledged writes is refused, however whole the rest of it is',
  async run() {
    await using directory = await temporaryDirectory();
    const { path, log } = await logOnFailingDisk(directory.path);
    await append(log, entry(1, 1));
    const { size: firstBytes } = await stat(`${path}-wal`);
    await append(log, entry(1, 2));
    const rotten = `${path}-rotten`;
    for (const suffix of ['', '-wal', '.mark']) await cp(`${path}${suffix}`, `${rotten}${suffix}`);
    await truncate(`${rotten}-wal`, firstBytes);
    await log.close();
    await rejects(reopen(rotten), { code: 'STORAGE_LOG_BEHIND' });
  },
};
