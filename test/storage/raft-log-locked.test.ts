/** @module A Raft log that the machine, and not what it holds, keeps from being read or written: never taken for damaged. */
import { mkdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import sqlite3 from 'sqlite3';
import { expect, it } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import { openRaftLog } from '../../src/storage/raft-log-file.ts';
import type { SqliteRaftLog } from '../../src/storage/sqlite-raft-log.ts';
import { append, entries } from './raft-log-store.suite.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const ACKNOWLEDGED = 10;
/** Longer than SQLite waits for somebody else's lock (sqlite.ts). */
const LIMIT_MS = 30_000;

it.each([
  ['cannot be read', '', 'SQLITE_IOERR'],
  ['can be read, but not its WAL', '-wal', 'SQLITE_CANTOPEN'],
])(
  'is refused as a failure of the disk where its file %s, and opens whole when it can be',
  async (_how, suffix, code) => {
    const path = await written();
    const [file, aside] = [`${path}${suffix}`, `${path}.aside`];
    const isThere = file === path;
    if (isThere) await rename(file, aside);
    // A directory is no file to SQLite, whoever asks, the superuser too.
    await mkdir(file);
    await expect(reopen(path)).rejects.toMatchObject({ code: 'STORAGE_FAILED', cause: { code } });
    await rmdir(file);
    if (isThere) await rename(aside, file);
    await expectWhole(path);
  },
);

it(
  'is refused as a failure of the disk while another process has locked it, and opens whole afterwards',
  async () => {
    const path = await written();
    const release = await locked(path, 'PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE');
    await expect(reopen(path)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      cause: { code: 'SQLITE_BUSY' },
    });
    await release();
    await expectWhole(path);
  },
  LIMIT_MS,
);

it(
  'latches when another process keeps it from being written, and opens with what was acknowledged',
  async () => {
    const path = await written();
    const log = await reopen(path);
    const release = await locked(path, 'BEGIN IMMEDIATE');
    const next = entries(ACKNOWLEDGED + 1, ACKNOWLEDGED + 1, 1);
    await expect(append(log, next)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      cause: { code: 'SQLITE_BUSY' },
    });
    await release();
    await expect(append(log, next)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await log.close();
    await expectWhole(path);
  },
  LIMIT_MS,
);

async function written(): Promise<string> {
  const path = join(await temporaryDirectory(), 'raft.db');
  const log = await openRaftLog(path, { logger: silentLogger });
  await append(log, entries(1, ACKNOWLEDGED, 1));
  await log.close();
  return path;
}

/** As another process would, which is why it is no connection of ours. Returns what ends it. */
async function locked(path: string, script: string): Promise<() => Promise<void>> {
  const database = new sqlite3.Database(path);
  await settled((done) => database.exec(script, done));
  return () => settled((done) => database.close(done));
}

function settled(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error === null ? resolve() : reject(error)));
  });
}

async function expectWhole(path: string): Promise<void> {
  const log = await reopen(path);
  expect(log.lastIndex()).toBe(ACKNOWLEDGED);
  await append(log, entries(ACKNOWLEDGED + 1, ACKNOWLEDGED + 1, 1));
  await log.close();
}

function reopen(path: string): Promise<SqliteRaftLog> {
  return openRaftLog(path, { logger: silentLogger, mustExist: true });
}
