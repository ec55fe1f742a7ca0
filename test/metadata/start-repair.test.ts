import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '../../raft/types.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { repairAtStart } from '../../src/metadata/start-repair.ts';
import { SnapshotStore } from '../../src/metadata/snapshot-store.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { SnapshotHandle } from '../../src/protocol/messages.ts';
import { MemoryRaftLog } from '../../src/storage/memory-raft-log.ts';
import type { RowStore } from '../../src/storage/row-store.ts';
import { openRaftLog } from '../../src/storage/raft-log-file.ts';
import { openRowStore } from '../../src/storage/sqlite-row-store.ts';
import { FoundedMachine } from '../namespace/founded-machine.ts';

const NAME = '1-6-1-abcd.snapshot';
const CONF_STATE = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };

describe('a start after a crash while a snapshot was being installed', () => {
  let folder: string;
  let received: SnapshotStore;
  let snapshot: Snapshot;
  const opened: { close(): Promise<void> }[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-repair-'));
    received = new SnapshotStore(join(folder, 'received'));
    await received.prepare();
    snapshot = await makeSnapshot();
    await oldRows();
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
    await rm(folder, { recursive: true });
  });

  async function open(name = 'rows.db'): Promise<RowStore> {
    const store = await openRowStore(join(folder, name));
    opened.push(store);
    return store;
  }

  /** The leader's state at index 6, as a file in `received`. */
  async function makeSnapshot(): Promise<Snapshot> {
    const leader = await FoundedMachine.create(await open('leader.db'));
    for (let count = 0; count < 5; count++) await leader.put(`/new-${count}`);
    const { at, rows } = await leader.machine.pin();
    await rows.copyTo(received.pathOf(NAME));
    await rows[Symbol.asyncDispose]();
    const digest = await received.digest(received.pathOf(NAME));
    const data = SnapshotHandle.encode({ name: NAME, node: 1, ...digest }).finish();
    return { metadata: { index: at.index, term: at.term, confState: CONF_STATE }, data };
  }

  /** The own state, at index 2, left as by kill -9: with a WAL. */
  async function oldRows(): Promise<void> {
    const store = await open('killed.db');
    const own = await FoundedMachine.create(store);
    await own.put('/old');
    await own.machine.flush();
    for (const suffix of ['', '-wal'])
      await copyFile(join(folder, `killed.db${suffix}`), join(folder, `rows.db${suffix}`));
  }

  async function logWith(installed: Snapshot): Promise<MemoryRaftLog> {
    const log = new MemoryRaftLog();
    await log.append({ entries: [], snapshot: installed, mustSync: true });
    return log;
  }

  async function names(machine: StateMachine): Promise<string[]> {
    return (await machine.list('/', '', 100)).entries.map(({ name }) => name);
  }

  it('before the log was written: goes on with the old state and keeps no file', async () => {
    const machine = await StateMachine.open({ store: await open() });
    const log = new MemoryRaftLog();
    const entries = [1, 2].map((index) => ({
      index,
      term: 1,
      type: 'EntryNormal' as const,
      data: new Uint8Array(),
    }));
    await log.bootstrap(CONF_STATE, { term: 1, vote: 0, commit: 2 }, entries);
    await repairAtStart(log, machine, received);
    expect(await names(machine)).toEqual(['old']);
    expect(await readdir(join(folder, 'received'))).toEqual([]);
  });

  it('between log and rows: installs the file, also when the old WAL was gone already', async () => {
    for (const isCheckpointed of [false, true]) {
      if (isCheckpointed) {
        await rm(join(folder, 'rows.db'));
        snapshot = await makeSnapshotAgain();
        await oldRowsWithoutWal();
      }
      const store = await open();
      const machine = await StateMachine.open({ store });
      expect(await names(machine)).toEqual(['old']);
      await repairAtStart(await logWith(snapshot), machine, received);
      expect(await names(machine)).toHaveLength(5);
      expect(machine.appliedIndex).toBe(snapshot.metadata.index);
      const again = await StateMachine.open({ store });
      expect(await names(again)).toHaveLength(5);
      await store.close();
    }
  });

  async function makeSnapshotAgain(): Promise<Snapshot> {
    await rm(join(folder, 'leader.db'), { force: true });
    for (const suffix of ['-wal', '-shm']) await rm(join(folder, `leader.db${suffix}`), { force: true });
    return makeSnapshot();
  }

  async function oldRowsWithoutWal(): Promise<void> {
    const store = await openRowStore(join(folder, 'rows.db'));
    const own = await FoundedMachine.create(store);
    await own.put('/old');
    await own.machine.flush();
    await store.close();
  }

  it('after the rows took its place: needs the file no more', async () => {
    const store = await open();
    const machine = await StateMachine.open({ store });
    await machine.restoreFrom(received.pathOf(NAME));
    expect(await readdir(join(folder, 'received'))).toEqual([]);
    const restarted = await StateMachine.open({ store });
    await repairAtStart(await logWith(snapshot), restarted, received);
    expect(await names(restarted)).toHaveLength(5);
  });

  it('refuses to start when the file that the log begins with is damaged or gone', async () => {
    const machine = await StateMachine.open({ store: await open() });
    const log = await logWith(snapshot);
    await writeFile(received.pathOf(NAME), 'damaged');
    const refused = { code: 'METADATA_LOG_INCONSISTENT' };
    await expect(repairAtStart(log, machine, received)).rejects.toMatchObject(refused);
    await received.discard(NAME);
    await expect(repairAtStart(log, machine, received)).rejects.toMatchObject(refused);
    expect(await names(machine)).toEqual(['old']);
  });

  it('refuses rows that are older than what the log was compacted behind', async () => {
    const path = join(folder, 'raft.db');
    const log = await openRaftLog(path, { logger: silentLogger });
    opened.push(log);
    await log.bootstrap(CONF_STATE, { term: 1, vote: 0, commit: 6 }, entriesTo(6));
    await log.compact({ metadata: { index: 6, term: 1, confState: CONF_STATE }, data: new Uint8Array() }, 4);
    const machine = await StateMachine.open({ store: await open() });
    await expect(repairAtStart(log, machine, received)).rejects.toMatchObject({
      code: 'METADATA_LOG_INCONSISTENT',
    });
  });
});

function entriesTo(last: number) {
  return Array.from({ length: last }, (_, at) => ({
    index: at + 1,
    term: 1,
    type: 'EntryNormal' as const,
    data: new Uint8Array(),
  }));
}
