/** @module S13: the process ends in the midst of a write; the log opens, and takes further writes, which stay (etcd#5230). */
import { equal } from 'node:assert/strict';
import { cp, stat, truncate } from 'node:fs/promises';
import type { BugScenario } from '../bug-scenario.ts';
import { entry } from '../manual-raft.ts';
import { append, logOnFailingDisk, reopen } from '../sqlite-log-by-hand.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

/** A prime, so that every place within a page comes up. */
const STRIDE_BYTES = 1_021;

export const scenario: BugScenario = {
  claim:
    'a log whose last, unacknowledged write is cut short anywhere opens with all that was acknowledged, and goes on',
  async run() {
    await using directory = await temporaryDirectory();
    const { path, log } = await logOnFailingDisk(directory.path);
    for (let index = 1; index <= 3; index += 1) await append(log, entry(1, index));
    const { size: acknowledgedBytes } = await stat(`${path}-wal`);
    await cp(`${path}.mark`, `${path}.mark-before`);
    await append(log, entry(1, 4));
    const { size } = await stat(`${path}-wal`);
    for (let cut = acknowledgedBytes; cut < size; cut += STRIDE_BYTES) {
      const torn = `${path}-${cut}`;
      await cp(path, torn);
      await cp(`${path}-wal`, `${torn}-wal`);
      await truncate(`${torn}-wal`, cut);
      await cp(`${path}.mark-before`, `${torn}.mark`);
      const opened = await reopen(torn);
      equal(opened.lastIndex(), 3);
      await append(opened, entry(2, 4));
      await opened.close();
      const again = await reopen(torn);
      equal(again.term(4), 2);
      await again.close();
    }
    await log.close();
  },
};
