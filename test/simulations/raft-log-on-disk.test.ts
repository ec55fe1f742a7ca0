/** @module What a simulated disk may do to a Raft log, and that the log, as the one that ships, notices all of it. */
import { describe, expect, it } from 'vitest';
import { Machine } from '../../simulations/cluster/machine.ts';
import { ProcessGate } from '../../simulations/world/process-gate.ts';
import type { SimulatedRaftLog } from '../../simulations/world/simulated-raft-log.ts';
import { World } from '../../simulations/world/world.ts';

const SEEDS = 40;
const ENTRIES = 5;
const REFUSALS = ['STORAGE_LOG_BEHIND', 'STORAGE_CORRUPT_LOG'];

class Disk {
  readonly world: World = new World();
  readonly machine: Machine;

  constructor(seed: number) {
    this.machine = new Machine(this.world, { seed, name: 'a' });
  }

  open(): SimulatedRaftLog {
    return this.machine.openLog(new ProcessGate({ world: this.world }), {
      ordered: () => {},
      compacted: () => {},
    });
  }

  /** Acknowledged: whatever happens to it later must show. */
  async append(log: SimulatedRaftLog, index: number, sizeBytes = 1): Promise<void> {
    const written = log.append({ entries: [entry(index, sizeBytes)], mustSync: true });
    await this.world.run(this.world.nowMs + 100, () => {});
    await written;
  }

  async filled(): Promise<SimulatedRaftLog> {
    const log = this.open();
    for (let index = 1; index <= ENTRIES; index += 1) await this.append(log, index);
    return log;
  }
}

function entry(index: number, sizeBytes: number) {
  return { index, term: 1, type: 'EntryNormal' as const, data: new Uint8Array(sizeBytes) };
}

describe('a Raft log on a simulated disk', () => {
  it('is cut where the power failed in the middle of a write, and takes the next one there', async () => {
    let torn = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const disk = new Disk(seed);
      const log = await disk.filled();
      void log.append({ entries: [entry(ENTRIES + 1, 20_000)], mustSync: true });
      disk.machine.crash('silent');
      const opened = disk.open();
      if (opened.wasTorn) torn += 1;
      expect([ENTRIES, ENTRIES + 1]).toContain(opened.lastIndex());
      await disk.append(opened, opened.lastIndex() + 1);
      disk.machine.crash('refused');
      expect(disk.open().lastIndex()).toBe(opened.lastIndex());
    }
    expect(torn).toBeGreaterThan(0);
  });

  it.each([
    ['one bit rots', (machine: Machine) => machine.rot('log')],
    ['its last write goes elsewhere', (machine: Machine) => machine.misdirect()],
  ])('is refused after %s, wherever that was', async (_what, harm) => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const disk = new Disk(seed);
      await disk.filled();
      disk.machine.crash('refused');
      harm(disk.machine);
      expect(() => disk.open()).toThrow(
        expect.objectContaining({ code: expect.toSatisfy((code: string) => REFUSALS.includes(code)) }),
      );
    }
  });

  it('survives the rot of one mark, and is refused when nothing says any more how far it went', async () => {
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const disk = new Disk(seed);
      await disk.filled();
      disk.machine.crash('refused');
      disk.machine.rot('marker');
      try {
        outcomes.add(`${disk.open().lastIndex()}`);
      } catch (error) {
        outcomes.add((error as { code: string }).code);
      }
    }
    expect(outcomes).toEqual(new Set([`${ENTRIES}`, 'STORAGE_CORRUPT_LOG']));
  });

  it('is missed when the directory was emptied', async () => {
    const disk = new Disk(1);
    await disk.filled();
    disk.machine.crash('refused');
    disk.machine.wipe();
    expect(() => disk.open()).toThrow(expect.objectContaining({ code: 'STORAGE_LOST_LOG' }));
  });

  it('knows a copy that was put back, and counts its writes from where an image of the disk stood', async () => {
    for (const asCopy of [true, false]) {
      const disk = new Disk(1);
      const log = disk.open();
      await disk.append(log, 1);
      const image = disk.machine.image();
      await disk.append(log, 2);
      disk.machine.crash('refused');
      disk.machine.putBack(image, { asCopy });
      const back = disk.open();
      expect([back.isCopy, back.lastIndex(), back.sequence]).toEqual([asCopy, 1, 1]);
    }
  });
});
