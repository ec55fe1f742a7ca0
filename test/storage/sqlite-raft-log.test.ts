/** @module SqliteRaftLog against the suite, and what only a disk can show. */
import { copyFile, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import { openRaftLog } from '../../src/storage/raft-log-file.ts';
import type { SqliteRaftLog } from '../../src/storage/sqlite-raft-log.ts';
import { SqliteConnection } from '../../src/storage/sqlite.ts';
import { append, conf, entries, raftLogStoreSuite, snapshotAt } from './raft-log-store.suite.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

raftLogStoreSuite('SqliteRaftLog', (directory) => reopen(join(directory, 'raft.db')));

it('finds everything again after it was opened anew', async () => {
  const path = await newPath();
  const log = await reopen(path);
  await log.bootstrap(conf(1), { term: 1, vote: 1, commit: 1 }, entries(1, 1, 1));
  await log.append({
    hardState: { term: 2, vote: 3, commit: 9 },
    entries: entries(2, 600, 2),
    mustSync: true,
  });
  await log.compact(snapshotAt(8, 2), 5);
  await log.close();
  const again = await reopen(path);
  expect(again.initialState()).toEqual({
    hardState: { term: 2, vote: 3, commit: 9 },
    confState: conf(1, 2, 3),
  });
  expect([again.firstIndex(), again.lastIndex(), again.term(5), again.retainedBytes()]).toEqual([
    6,
    600,
    2,
    595 * 8,
  ]);
  expect(again.entries(6, 601, NO_LIMIT)).toEqual(entries(2, 600, 2).slice(4));
  expect(again.snapshot()).toEqual(snapshotAt(8, 2));
  await again.close();
});

it('makes what it finds durable before anybody hears of it, or does not open', async () => {
  const path = await newPath();
  const log = await reopen(path);
  await append(log, entries(1, 3, 1));
  // As kill -9 leaves it: in the WAL, and perhaps in the kernel's memory only.
  const copy = await newPath();
  for (const suffix of ['', '-wal', '.mark']) await copyFile(`${path}${suffix}`, `${copy}${suffix}`);
  await log.close();
  const handle = await open(copy);
  const sync = vi.spyOn(Object.getPrototypeOf(handle), 'sync');
  await handle.close();
  try {
    sync.mockRejectedValueOnce(Object.assign(new Error('EIO: fsync'), { code: 'EIO' }));
    await expect(reopen(copy)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    sync.mockClear();
    const again = await reopen(copy);
    expect(again.lastIndex()).toBe(3);
    expect(sync.mock.calls.length).toBeGreaterThanOrEqual(2);
    await again.close();
  } finally {
    sync.mockRestore();
  }
});

it('keeps the configuration of the bootstrap over a restart', async () => {
  const path = await newPath();
  const log = await reopen(path);
  await log.bootstrap(conf(7), { term: 1, vote: 7, commit: 0 }, []);
  await log.close();
  const again = await reopen(path);
  expect(again.initialState().confState).toEqual(conf(7));
  expect(again.isEmpty()).toBe(false);
  await again.close();
});

it('shows an entry to readers only once it is durable', async () => {
  const log = await reopen(await newPath());
  const writing = append(log, entries(1, 1, 1));
  expect(log.lastIndex()).toBe(0);
  await writing;
  expect(log.lastIndex()).toBe(1);
  await log.close();
});

it('lets appends that arrive during a write share the next transaction', async () => {
  const log = await reopen(await newPath());
  const before = log.transactionCount;
  const order: number[] = [];
  await Promise.all(
    entries(1, 200, 1).map((entry) => append(log, [entry]).then(() => order.push(entry.index))),
  );
  expect(log.transactionCount - before).toBeLessThanOrEqual(2);
  expect(order).toEqual(entries(1, 200, 1).map((entry) => entry.index));
  await log.close();
});

it('gives a bare commit index no transaction of its own, and still has it after a clean stop', async () => {
  const path = await newPath();
  const log = await reopen(path);
  await log.append({ hardState: { term: 1, vote: 1, commit: 0 }, entries: entries(1, 2, 1), mustSync: true });
  const before = log.transactionCount;
  await log.append({ hardState: { term: 1, vote: 1, commit: 2 }, entries: [], mustSync: false });
  expect(log.transactionCount).toBe(before);
  expect(log.initialState().hardState.commit).toBe(2);
  await log.close();
  const again = await reopen(path);
  expect(again.initialState().hardState.commit).toBe(2);
  await again.close();
});

it('makes a vote durable even if the caller says that it need not be', async () => {
  const log = await reopen(await newPath());
  const before = log.transactionCount;
  await log.append({ hardState: { term: 5, vote: 2, commit: 0 }, entries: [], mustSync: false });
  expect(log.transactionCount).toBe(before + 1);
  await log.close();
});

it('has every acknowledged entry in a copy of its files, as a killed process leaves them', async () => {
  const path = await newPath();
  const log = await reopen(path);
  await append(log, entries(1, 50, 1));
  for (const suffix of ['', '-wal', '.mark']) await copyFile(`${path}${suffix}`, `${path}.killed${suffix}`);
  const killed = await reopen(`${path}.killed`);
  expect(killed.lastIndex()).toBe(50);
  await killed.close();
  await log.close();
});

it('latches after a failed write: every later append says STORAGE_FAILED', async () => {
  const path = await newPath();
  const log = await reopen(path);
  await append(log, entries(1, 1, 1));
  await change(path, 'ALTER TABLE entries RENAME TO hidden');
  const failed = [append(log, entries(2, 2, 1)), append(log, entries(3, 3, 1))];
  for (const one of failed) await expect(one).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  await change(path, 'ALTER TABLE hidden RENAME TO entries');
  await expect(append(log, entries(2, 2, 1))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  expect(log.lastIndex()).toBe(1);
  await log.close();
});

it.each([
  ['a flipped bit in the middle', `UPDATE entries SET data = x'3030303030303038' WHERE idx = 5`, 'entry 5'],
  ['a flipped bit in the last entry', `UPDATE entries SET data = x'00' WHERE idx = 10`, 'entry 10'],
  ['a changed term', 'UPDATE entries SET term = 2 WHERE idx = 10', 'entry 10'],
  ['a changed type', 'UPDATE entries SET type = 2 WHERE idx = 3', 'entry 3'],
  ['a gap', 'DELETE FROM entries WHERE idx = 5', 'entries 5 to 5 are missing'],
  ['a missing committed tail', 'DELETE FROM entries WHERE idx >= 7', 'it ends at 6'],
  ['a changed vote', 'UPDATE hard_state SET vote = 2', 'the vote'],
])('refuses to open a log with %s, and says what to do', async (_name, damage, found) => {
  const path = await newPath();
  const log = await reopen(path);
  await log.append({
    hardState: { term: 1, vote: 1, commit: 8 },
    entries: entries(1, 10, 1),
    mustSync: true,
  });
  await log.close();
  await change(path, damage);
  const opening = expect(reopen(path)).rejects;
  await opening.toMatchObject({
    code: 'STORAGE_CORRUPT_LOG',
    message: expect.stringContaining('must not vote'),
  });
  await expect(reopen(path)).rejects.toThrow(found);
});

it('refuses a changed snapshot record', async () => {
  const path = await newPath();
  const log = await reopen(path);
  await log.append({ snapshot: snapshotAt(5, 1), entries: [], mustSync: true });
  await log.close();
  await change(path, `UPDATE snapshot SET conf_state = replace(conf_state, '3', '4')`);
  await expect(reopen(path)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_LOG' });
});

it('refuses a file that is no database as a corrupt log', async () => {
  const path = await newPath();
  await writeFile(path, 'this is not a database, but it is long enough to be looked at as one'.repeat(20));
  await expect(reopen(path)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_LOG' });
});

function reopen(path: string): Promise<SqliteRaftLog> {
  return openRaftLog(path, { logger: silentLogger });
}

async function newPath(): Promise<string> {
  return join(await temporaryDirectory(), 'raft.db');
}

async function change(path: string, statement: string): Promise<void> {
  const other = await SqliteConnection.open(path, { format: 2, schema: [] });
  await other.run(statement);
  await other.close();
}
