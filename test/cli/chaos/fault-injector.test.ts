import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FaultInjector } from '../../../cli/chaos/fault-injector.ts';
import { type FaultContext, NODE_FAULTS } from '../../../cli/chaos/faults.ts';
import { SeededChoice } from '../../../cli/chaos/seeded-choice.ts';

/** Nodes that only say what was done to them. */
class FakeNodes {
  readonly log: string[] = [];
  readonly running = new Map<string, boolean>();

  readonly #disks = {
    fill: async (name: string) => void this.log.push(`fill ${name}`),
    empty: async (name: string) => void this.log.push(`empty ${name}`),
  };

  constructor(names: readonly string[]) {
    for (const name of names) this.running.set(name, true);
  }

  context(seed: number, abilities: readonly string[] = []): FaultContext {
    const node = (name: string) => ({
      isRunning: this.running.get(name),
      logTail: 'last words',
      kill: async () => {
        this.log.push(`kill ${name}`);
        this.running.set(name, false);
      },
      signal: (signal: string) => void this.log.push(`${signal} ${name}`),
    });
    const startNode = async (name: string): Promise<void> => {
      this.log.push(`start ${name}`);
      this.running.set(name, true);
    };
    return {
      cluster: { node, startNode },
      machines: { can: (ability: string) => abilities.includes(ability), disks: this.#disks },
      choice: new SeededChoice(seed, 'faults'),
      names: [...this.running.keys()],
    } as unknown as FaultContext;
  }
}

/** A clock ten thousand times as fast as it looks at it: each look is a second later. */
function fastClock(): () => number {
  let nowMs = 0;
  return () => (nowMs += 1_000);
}

describe('the hand behind the faults', () => {
  it('puts everything right that it did', async () => {
    const nodes = new FakeNodes(['m1', 'm2', 'd1']);
    const injector = new FaultInjector(nodes.context(5), { now: fastClock(), kinds: NODE_FAULTS });
    const stop = new AbortController();
    const running = injector.run(stop.signal);
    while (injector.faults.length < 3) await pause(10);
    stop.abort();
    await running;
    await injector.heal();
    expect([...nodes.running.values()]).toEqual([true, true, true]);
    const count = (word: string): number => nodes.log.filter((line) => line.startsWith(word)).length;
    expect(count('SIGCONT')).toBe(count('SIGSTOP'));
    expect(count('start')).toBe(count('kill'));
    expect(injector.surprises).toEqual([]);
    expect(injector.faults.every(({ fromMs, toMs }) => fromMs < toMs)).toBe(true);
  });

  it('starts a node again that ended although nobody did anything to it, and tells of it', async () => {
    const nodes = new FakeNodes(['m1']);
    const injector = new FaultInjector(nodes.context(1), { now: fastClock(), kinds: NODE_FAULTS });
    nodes.running.set('m1', false);
    await injector.heal();
    expect(nodes.running.get('m1')).toBe(true);
    expect(injector.surprises).toEqual(['m1 ended by itself; its last words: last words']);
  });

  it('is not surprised by a node that ends just after its disk was full', async () => {
    const nodes = new FakeNodes(['m1']);
    let nowMs = 0;
    const injector = new FaultInjector(nodes.context(6, ['small-disks']), {
      now: () => (nowMs += 200),
      kinds: NODE_FAULTS,
    });
    const stop = new AbortController();
    const running = injector.run(stop.signal);
    while (!nodes.log.includes('empty m1')) await pause(10);
    stop.abort();
    await running;
    nodes.running.set('m1', false);
    await injector.heal();
    expect(nodes.running.get('m1')).toBe(true);
    expect(injector.surprises).toEqual([]);
    nodes.running.set('m1', false);
    nowMs += 60_000;
    await injector.heal();
    expect(injector.surprises).toHaveLength(1);
  });

  it('draws the same from the same seed', () => {
    const drawn = (seed: number): readonly number[] => {
      const choice = new SeededChoice(seed, 'faults');
      return Array.from({ length: 20 }, () => choice.between(1, 1_000));
    };
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
    expect(drawn(1).every((value) => value >= 1 && value <= 1_000)).toBe(true);
  });
});
