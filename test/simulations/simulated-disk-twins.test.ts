/** @module The stores of a simulated machine against the suites of the real ones, and what a crash leaves of them. */
import { describe, expect, it } from 'vitest';
import { Machine } from '../../simulations/cluster/machine.ts';
import { Prng } from '../../simulations/prng.ts';
import { ProcessGate } from '../../simulations/world/process-gate.ts';
import { SimulatedRaftLog } from '../../simulations/world/simulated-raft-log.ts';
import { SimulatedRowStore } from '../../simulations/world/simulated-row-store.ts';
import {
  openSimulatedBlockStore,
  type SimulatedShelfComponents,
} from '../../simulations/world/simulated-shelf.ts';
import { World } from '../../simulations/world/world.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { ShelvedBlockStore } from '../../src/storage/shelved-block-store.ts';
import { blockStoreSuite, described, patterned, put, readAll } from '../storage/block-store.suite.ts';
import { raftLogStoreSuite } from '../storage/raft-log-store.suite.ts';
import { rowStoreSuite } from '../storage/row-store.suite.ts';

/** Time in it passes by itself, as fast as it can. */
class RestlessWorld extends World {
  override after(delayMs: number, callback: () => void): ReturnType<World['after']> {
    const timer = super.after(delayMs, callback);
    setImmediate(() => void this.run(this.nowMs + delayMs, () => {}));
    return timer;
  }
}

function openLog(machine: Machine, gate: ProcessGate): SimulatedRaftLog {
  return machine.openLog(gate, { ordered: () => {}, compacted: () => {} });
}

function blockParts(machine: Machine, world: World): SimulatedShelfComponents {
  const gate = new ProcessGate({ world });
  const { platter, health } = machine;
  return { platter, health, queue: machine.openQueue(gate, 'blocks'), seek: () => world.pass(1) };
}

const restless = new RestlessWorld();
raftLogStoreSuite('SimulatedRaftLog', async () =>
  openLog(new Machine(restless, { seed: 1, name: 'a' }), new ProcessGate({ world: restless })),
);
rowStoreSuite('SimulatedRowStore', async () => {
  const queue = new Machine(restless, { seed: 1, name: 'a' }).openQueue(
    new ProcessGate({ world: restless }),
    'rows',
  );
  return new SimulatedRowStore({ rows: new MemoryRowStore(), queue });
});

blockStoreSuite('SimulatedBlockStore', async (_directory, options) =>
  openSimulatedBlockStore(blockParts(new Machine(restless, { seed: 1, name: 'a' }), restless), options),
);

describe('the blocks of a simulated machine', () => {
  const opened = async (damage: (machine: Machine) => void): Promise<ShelvedBlockStore> => {
    const machine = new Machine(restless, { seed: 1, name: 'a' });
    await put(machine.openBlocks(new ProcessGate({ world: restless })), patterned(200 * 1024));
    damage(machine);
    return machine.openBlocks(new ProcessGate({ world: restless }));
  };

  it('are never served once they have rotted or were torn', async () => {
    const random = new Prng(1, 'damage');
    for (const damage of ['rot', 'tear'] as const) {
      const store = await opened(({ platter }) => platter[damage](random));
      const { hash } = described(patterned(200 * 1024));
      expect(await store.verify(hash)).toBe(false);
      await expect(readAll(store, hash)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT_BLOCK' });
    }
  });

  it('are there after a crash if their commit was acknowledged, and else whole or not at all', async () => {
    const outcomes = new Set<boolean>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const world = new World();
      const machine = new Machine(world, { seed, name: 'a' });
      const store = machine.openBlocks(new ProcessGate({ world }));
      const putting = put(store, patterned(1000));
      await world.run(100, () => {});
      const { hash } = await putting;
      void put(store, patterned(1000, 2));
      await world.run(world.nowMs + seed / 10, () => {});
      machine.crash('silent');
      const again = machine.openBlocks(new ProcessGate({ world }));
      expect(machine.platter.isGood(hash)).toBe(true);
      expect(machine.platter.incomingCount).toBe(0);
      const other = described(patterned(1000, 2)).hash;
      expect(again.has(other)).toBe(machine.platter.isGood(other));
      outcomes.add(again.has(other));
    }
    expect(outcomes.size).toBe(2);
  });

  it('that were put aside whole outlive rot of the copy that was written anew beside them', async () => {
    const machine = new Machine(restless, { seed: 1, name: 'a' });
    const { platter } = machine;
    const { hash } = await put(
      machine.openBlocks(new ProcessGate({ world: restless })),
      patterned(200 * 1024),
    );
    const stored = platter.get(hash);
    const aside = { hash, sizeBytes: 200 * 1024, era: 1, index: 1, sinceMs: 0 };
    platter.putAside({ ...aside, reason: 'garbage' });
    // A crash came before the one aside was deleted.
    if (stored !== undefined) platter.put(hash, stored);
    platter.rot(new Prng(1, 'rot'));
    const store = machine.openBlocks(new ProcessGate({ world: restless }));
    await store.quarantine(hash, { ...aside, reason: 'corrupt' });
    expect(store.has(hash)).toBe(false);
    expect(await store.release(hash)).toBe(true);
    expect(await store.verify(hash)).toBe(true);
  });

  it('have no room on a disk that is full, until it has', async () => {
    const machine = new Machine(restless, { seed: 1, name: 'a' });
    const store = machine.openBlocks(new ProcessGate({ world: restless }));
    machine.health.nextFailure = 'full';
    await expect(put(store, patterned(1000))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    await put(store, patterned(1000));
  });

  it('are taken no more after a sync that failed, until the store is opened anew', async () => {
    const machine = new Machine(restless, { seed: 1, name: 'a' });
    const store = machine.openBlocks(new ProcessGate({ world: restless }));
    machine.health.nextFailure = 'sync';
    for (let attempt = 0; attempt < 2; attempt += 1)
      await expect(put(store, patterned(1000))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    machine.crash('silent');
    await put(machine.openBlocks(new ProcessGate({ world: restless })), patterned(1000));
  });
});

describe('the disk of a simulated machine', () => {
  const entry = (index: number) => ({
    index,
    term: 1,
    type: 'EntryNormal' as const,
    data: new Uint8Array(1),
  });

  it('keeps of a crash what was synced, and any first part of what was not', async () => {
    const lengths = new Set<number>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const world = new World();
      const machine = new Machine(world, { seed, name: 'a' });
      const log = openLog(machine, new ProcessGate({ world }));
      const synced = log.append({ entries: [entry(1)], mustSync: true });
      await world.run(100, () => {});
      await synced;
      for (const index of [2, 3]) void log.append({ entries: [entry(index)], mustSync: true });
      expect(log.lastIndex()).toBe(1);
      machine.crash('silent');
      lengths.add(openLog(machine, new ProcessGate({ world })).lastIndex());
    }
    expect([...lengths].toSorted()).toEqual([1, 2, 3]);
  });

  it('refuses everything after a write that failed, until it is opened anew', async () => {
    const world = new World();
    const machine = new Machine(world, { seed: 1, name: 'a' });
    const log = openLog(machine, new ProcessGate({ world }));
    machine.health.nextFailure = 'full';
    const failing = expect(log.append({ entries: [entry(1)], mustSync: true })).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
    });
    await world.run(100, () => {});
    await failing;
    await expect(log.append({ entries: [entry(1)], mustSync: true })).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
    });
    machine.crash('silent');
    expect(openLog(machine, new ProcessGate({ world })).lastIndex()).toBe(0);
  });
});
