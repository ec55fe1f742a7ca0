import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Snapshot } from '../../raft/types.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { handleOf } from '../../src/metadata/log-snapshot.ts';
import { SnapshotMaker } from '../../src/metadata/snapshot-maker.ts';
import { SnapshotStore } from '../../src/metadata/snapshot-store.ts';
import type { RaftLogStore } from '../../src/storage/raft-log-store.ts';
import { FoundedMachine } from '../namespace/founded-machine.ts';
import { ManualClock } from '../manual-clock.ts';

const MINUTE_MS = 60_000;

describe('the maker of snapshots', () => {
  let folder: string;
  let clock: ManualClock;
  let tree: FoundedMachine;
  let firstIndex: number;
  let maker: SnapshotMaker;
  let store: SnapshotStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-maker-'));
    store = new SnapshotStore(folder);
    clock = new ManualClock();
    tree = await FoundedMachine.create();
    await tree.machine.applyConfState(++tree.index, 1, new Uint8Array());
    firstIndex = 1;
    const log = { firstIndex: () => firstIndex } as RaftLogStore;
    const base = { log, machine: tree.machine, store, clock, random: systemRandom, logger: silentLogger };
    maker = new SnapshotMaker(base, { number: 7 });
  });
  afterEach(async () => {
    await maker.stop();
    await rm(folder, { recursive: true });
  });

  function offered(): Snapshot | undefined {
    try {
      return maker.snapshot();
    } catch (error) {
      expect(error).toMatchObject({ code: 'RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE' });
      return undefined;
    }
  }

  /** Asks as the core does, with every heartbeat. */
  async function made(): Promise<Snapshot> {
    for (;;) {
      const snapshot = offered();
      if (snapshot !== undefined) return snapshot;
      await clock.advance(100);
    }
  }

  it('copies nothing until it is asked, then one file of the state at one index, whoever else asks', async () => {
    await clock.advance(10 * MINUTE_MS);
    expect(await readdir(folder)).toEqual([]);
    expect(maker.heldIndex).toBeUndefined();
    const snapshot = await made();
    expect(snapshot.metadata.index).toBe(tree.machine.appliedIndex);
    expect(maker.heldIndex).toBe(snapshot.metadata.index);
    await tree.put('/later');
    expect(offered()).toBe(snapshot);
    expect(await store.has(handleOf(snapshot))).toBe(true);
    expect(await readdir(folder)).toEqual([handleOf(snapshot).name]);
  });

  it('makes a new one, and removes the old, when the log no longer goes on from it', async () => {
    const old = await made();
    await tree.put('/later');
    firstIndex = old.metadata.index + 1;
    expect(offered()).toBe(old);
    firstIndex = old.metadata.index + 2;
    const next = await made();
    expect(next.metadata.index).toBe(tree.machine.appliedIndex);
    expect(await readdir(folder)).toEqual([handleOf(next).name]);
  });

  it('removes the file a minute after its last use, but never from under a reader', async () => {
    const { name } = handleOf(await made());
    await clock.advance(0.9 * MINUTE_MS);
    await maker.work();
    expect(await readdir(folder)).toEqual([name]);
    const reading = maker.read(name);
    await clock.advance(10 * MINUTE_MS);
    await maker.work();
    expect(await readdir(folder)).toEqual([name]);
    reading?.[Symbol.dispose]();
    await maker.work();
    expect(await readdir(folder)).toEqual([name]);
    await clock.advance(1.1 * MINUTE_MS);
    await maker.work();
    expect(await readdir(folder)).toEqual([]);
    expect(maker.heldIndex).toBeUndefined();
    expect(maker.read(name)).toBeUndefined();
  });

  it('leaves no file behind that could not be read back, and makes another', async () => {
    const reading = vi.spyOn(store, 'digest').mockRejectedValueOnce(new Error('EIO: i/o error, read'));
    const { name } = handleOf(await made());
    expect(reading).toHaveBeenCalledTimes(2);
    expect(await readdir(folder)).toEqual([name]);
  });

  it('leaves nothing behind when it is stopped in the middle', async () => {
    expect(offered()).toBeUndefined();
    await maker.stop();
    expect(await readdir(folder)).toEqual([]);
  });
});
