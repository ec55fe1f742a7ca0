import { describe, expect, it } from 'vitest';
import type { Entry } from '../../raft/types.ts';
import { systemClock } from '../../src/common/clock.ts';
import { Applier, MAX_BACKLOG_BYTES } from '../../src/metadata/applier.ts';
import type { StateMachine } from '../../src/namespace/state-machine.ts';

/** Applies what it is given when told to, one call at a time. */
class GatedMachine {
  readonly calls: { readonly upTo: number; readonly done: () => void }[] = [];

  apply(entries: readonly Entry[]): Promise<[][]> {
    return new Promise((resolve) => {
      const upTo = entries.at(-1)?.index ?? 0;
      this.calls.push({ upTo, done: () => resolve(entries.map(() => [])) });
    });
  }

  async next(): Promise<void> {
    await turn();
    const call = this.calls.shift();
    if (call === undefined) throw new Error('nothing is being applied');
    call.done();
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

function entry(index: number, sizeBytes: number, type: Entry['type'] = 'EntryNormal'): Entry {
  return { index, term: 1, type, data: new Uint8Array(sizeBytes) };
}

function setUp() {
  const machine = new GatedMachine();
  const reached: number[] = [];
  const applier = new Applier(
    {
      machine: Object.assign(machine, {
        applyConfState: () => Promise.resolve(),
      }) as unknown as StateMachine,
      clock: systemClock,
      applyConfChange: () => new Uint8Array(),
    },
    {
      applied: () => {},
      reached: (index) => reached.push(index),
      failed: (error) => {
        throw error;
      },
    },
  );
  const settled = async (promise: Promise<void> | undefined): Promise<boolean> => {
    let isSettled = false;
    void Promise.resolve(promise).then(() => (isSettled = true));
    await turn();
    return isSettled;
  };
  return { machine, reached, applier, settled };
}

describe('Applier', () => {
  it('holds nobody up while little waits to be applied', async () => {
    const { applier, settled, reached } = setUp();
    expect(await settled(applier.enqueue([entry(1, 100)]))).toBe(true);
    expect(await settled(applier.enqueue([entry(2, 100)]))).toBe(true);
    expect(reached).toEqual([]);
  });

  it('makes whoever brings too much wait for what came before, and not for what he brings', async () => {
    const { machine, applier, settled, reached } = setUp();
    await applier.enqueue([entry(1, 100)]);
    const full = applier.enqueue([entry(2, MAX_BACKLOG_BYTES)]);
    expect(await settled(full)).toBe(false);
    await machine.next();
    await full;
    expect(reached).toEqual([1]);
  });

  it('lets timers and messages have their turn between two batches that need no rows', async () => {
    const { applier, machine } = setUp();
    machine.apply = (entries) => Promise.resolve(entries.map(() => []));
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 0);
    for (let index = 1; index <= 20; index += 1) await applier.enqueue([entry(index, MAX_BACKLOG_BYTES + 1)]);
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(5);
  });

  it('waits for everything at a membership change', async () => {
    const { machine, applier, settled, reached } = setUp();
    await applier.enqueue([entry(1, 100)]);
    const change = applier.enqueue([entry(2, 100, 'EntryConfChangeV2')]);
    expect(await settled(change)).toBe(false);
    await machine.next();
    await change;
    expect(reached).toEqual([1, 2]);
  });
});
