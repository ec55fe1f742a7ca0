import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import { LogCompactor, type LogCompactorOptions } from '../../src/metadata/log-compactor.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { MemoryRaftLog } from '../../src/storage/memory-raft-log.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';

const CONF_STATE = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };

/** A log of empty or large entries, all of them applied; `durable` of them are in the rows. */
async function worldOf(entries: number, durable: number, sizeBytes: number, options: LogCompactorOptions) {
  const log = new MemoryRaftLog();
  const machine = await StateMachine.open({ store: new MemoryRowStore() });
  const data = new Uint8Array(sizeBytes);
  const all = Array.from({ length: entries }, (_, at) => ({
    index: at + 1,
    term: 1,
    type: 'EntryNormal' as const,
    data,
  }));
  await log.bootstrap(CONF_STATE, { term: 1, vote: 0, commit: entries }, all);
  const noOps = all.map((entry) => ({ ...entry, data: new Uint8Array() }));
  await machine.apply(noOps.slice(0, durable));
  await machine.flush();
  await machine.apply(noOps.slice(durable));
  const snapshots: { heldIndex: number | undefined } = { heldIndex: undefined };
  const compactor = new LogCompactor({ log, machine, snapshots, logger: silentLogger }, options);
  const run = async (): Promise<number> => {
    while ((await compactor.work()) === 'busy');
    return log.firstIndex();
  };
  return { log, snapshots, run };
}

describe('log compaction', () => {
  it('leaves a log alone that is short and small', async () => {
    const { run } = await worldOf(100, 100, 10, { maxLogEntries: 100, maxLogBytes: 1000 });
    expect(await run()).toBe(1);
  });

  it('drops nothing that is not durable in the rows, and keeps the trailing entries', async () => {
    const { run, log } = await worldOf(100, 60, 0, { maxLogEntries: 50, trailingEntries: 20 });
    expect(await run()).toBe(41);
    expect(log.snapshot().metadata.index).toBe(60);
    expect(log.lastIndex()).toBe(100);
  });

  it('keeps by bytes when entries are large', async () => {
    const { run } = await worldOf(100, 100, 100, { maxLogBytes: 5000, trailingEntries: 50 });
    expect(await run()).toBe(76);
  });

  it('keeps what follows a snapshot that is under way', async () => {
    const world = await worldOf(100, 100, 0, { maxLogEntries: 50, trailingEntries: 10 });
    world.snapshots.heldIndex = 30;
    expect(await world.run()).toBe(31);
    world.snapshots.heldIndex = undefined;
    expect(await world.run()).toBe(91);
  });

  it('gives a snapshot up when the log has grown to four times its bound', async () => {
    const world = await worldOf(201, 201, 0, { maxLogEntries: 50, trailingEntries: 10 });
    world.snapshots.heldIndex = 30;
    expect(await world.run()).toBe(192);
  });

  it('drops a long log in steps', async () => {
    const world = await worldOf(10_000, 10_000, 0, { maxLogEntries: 50, trailingEntries: 10 });
    let writes = 0;
    const compact = world.log.compact.bind(world.log);
    world.log.compact = (snapshot, upTo) => {
      writes += 1;
      return compact(snapshot, upTo);
    };
    expect(await world.run()).toBe(9_991);
    expect(writes).toBe(3);
  });
});
