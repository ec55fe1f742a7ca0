/** @module The stores of a simulated machine against the suites of the real ones, and what a crash leaves of them. */
import { describe, expect, it } from 'vitest';
import { Machine } from '../../simulations/cluster/machine.ts';
import { ProcessGate } from '../../simulations/world/process-gate.ts';
import { SimulatedRaftLog } from '../../simulations/world/simulated-raft-log.ts';
import { SimulatedRowStore } from '../../simulations/world/simulated-row-store.ts';
import { World } from '../../simulations/world/world.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
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
  const queue = machine.openQueue(gate, 'raft.log');
  return new SimulatedRaftLog({ file: machine.log, queue, observe: () => {} });
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
      machine.crash();
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
    machine.crash();
    expect(openLog(machine, new ProcessGate({ world })).lastIndex()).toBe(0);
  });
});
