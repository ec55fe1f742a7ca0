/** @module Every write of the Raft log on a disk that fails at it: latched, and nothing acknowledged is lost. */
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import { LogMarker } from '../../src/storage/log-marker.ts';
import { LogWindow } from '../../src/storage/log-window.ts';
import { markerPath, openRaftLog } from '../../src/storage/raft-log-file.ts';
import { LOG_FORMAT, loadLog } from '../../src/storage/raft-log-rows.ts';
import { SqliteConnection } from '../../src/storage/sqlite.ts';
import { SqliteRaftLog } from '../../src/storage/sqlite-raft-log.ts';
import { FailingDatabase, FailingDisk, FailingMarker, type Fault } from '../../simulations/failing-disk.ts';
import { append, entries, snapshotAt } from './raft-log-store.suite.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const ACKNOWLEDGED = 10;
const TERM = 2;
const FAULTS: readonly (readonly [Fault, string])[] = [
  ['before', 'EIO'],
  ['before', 'ENOSPC'],
  ['after', 'EIO'],
  ['mark', 'EIO'],
  ['mark', 'ENOSPC'],
];
const WRITES: Readonly<Record<string, (log: SqliteRaftLog) => Promise<unknown>>> = {
  'an append': (log) => append(log, entries(11, 12, TERM)),
  'a truncation': (log) => append(log, entries(9, 9, TERM + 1)),
  'a vote': (log) =>
    log.append({ hardState: { term: TERM + 1, vote: 3, commit: 5 }, entries: [], mustSync: true }),
  'a snapshot of the leader': (log) =>
    log.append({ snapshot: snapshotAt(40, TERM), entries: [], mustSync: true }),
  'a compaction': (log) => log.compact(snapshotAt(8, TERM), 6),
};
const DISK_BYTES = 2 * 1024 * 1024;
/** Of the disk, taken by somebody else for a while. */
const FILLER_BYTES: number = DISK_BYTES * 0.75;

describe.each(Object.keys(WRITES))('%s', (name) => {
  const write = WRITES[name] as (log: SqliteRaftLog) => Promise<unknown>;

  it.each(FAULTS)('that fails (%s: %s) is latched until the log is opened anew', async (fault, code) => {
    const { path, disk, log } = await failingLog();
    await append(log, entries(1, ACKNOWLEDGED, TERM));
    disk.fail(fault, code);
    await expect(write(log)).rejects.toMatchObject({ code: 'STORAGE_FAILED', kind: 'broken' });
    disk.heal();
    await expect(write(log)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(log.beginBoot()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await log.close();

    const again = await openRaftLog(path, { logger: silentLogger, mustExist: true });
    // The write is there whole or not at all, and the log can be written again.
    if (fault === 'before') expect(again.sequence).toBe(1);
    else expect(again.sequence).toBe(2);
    if (name === 'an append') expect(again.lastIndex()).toBe(fault === 'before' ? ACKNOWLEDGED : 12);
    await write(again);
    await again.close();
  });
});

it('is latched by a start that could not be counted', async () => {
  const { disk, log } = await failingLog();
  disk.fail('mark', 'EIO');
  await expect(log.beginBoot()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  disk.heal();
  await expect(append(log, entries(1, 1, 1))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  await log.close();
});

it('says STORAGE_FAILED on a disk that is full, keeps what it acknowledged, and goes on when opened with room', async (context) => {
  const directory = join(await temporaryDirectory(), 'disk');
  await mkdir(directory);
  const mounting = promisify(execFile)('mount', [
    '-t',
    'tmpfs',
    '-o',
    `size=${DISK_BYTES}`,
    'tmpfs',
    directory,
  ]);
  if (
    await mounting.then(
      () => false,
      () => true,
    )
  )
    return context.skip('needs the right to mount a tmpfs (run as root)');
  try {
    const path = join(directory, 'raft.db');
    await writeFile(join(directory, 'filler'), Buffer.alloc(FILLER_BYTES));
    const log = await openRaftLog(path, { logger: silentLogger });
    let acknowledged = 0;
    const fill = async (): Promise<never> => {
      for (;;) {
        await append(log, [{ ...large(acknowledged + 1), term: 1 }]);
        acknowledged += 1;
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await rm(join(directory, 'filler'));
    await expect(append(log, [large(acknowledged + 1)])).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await log.close();
    expect(acknowledged).toBeGreaterThan(0);

    const again = await openRaftLog(path, { logger: silentLogger, mustExist: true });
    expect(again.lastIndex()).toBe(acknowledged);
    await append(again, [large(acknowledged + 1)]);
    await again.close();
  } finally {
    await promisify(execFile)('umount', ['--lazy', directory]);
  }
});

function large(index: number) {
  return { index, term: 1, type: 'EntryNormal' as const, data: Buffer.alloc(16 * 1024, index) };
}

async function failingLog(): Promise<{ path: string; disk: FailingDisk; log: SqliteRaftLog }> {
  const path = join(await temporaryDirectory(), 'raft.db');
  const disk = new FailingDisk();
  const connection = await SqliteConnection.open(path, LOG_FORMAT);
  const { state, standing } = await loadLog(connection, path);
  const marker = await LogMarker.create(markerPath(path), standing);
  const log = new SqliteRaftLog(
    { connection: new FailingDatabase(connection, disk), marker: new FailingMarker(marker, disk) },
    { window: new LogWindow(state), sequence: standing.sequence },
  );
  return { path, disk, log };
}
