/** @module Whose turn it is to tell a holder what it forgot, and how much of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  FASTEST_RECORDS_PER_SECOND,
  FIRST_RECORDS_PER_SECOND,
  LASTING_RECORDS_PER_SECOND,
  TellingPace,
} from '../../dht/telling-pace.ts';
import { LONGEST_TURN_MS, TellingTurns, TURN_MS } from '../../dht/telling-turns.ts';
import { ManualClock } from '../manual-clock.ts';

/** Records of a turn at the first pace. */
const A_TURN = (FIRST_RECORDS_PER_SECOND * TURN_MS) / 1000;
const SHARDS = Array.from({ length: 4096 }, (_, shard) => shard);

let clock: ManualClock;
beforeEach(() => {
  clock = new ManualClock();
});

describe('turns', () => {
  let turns: TellingTurns;
  beforeEach(() => {
    turns = new TellingTurns({ clock });
  });
  const take = (node: number, each: number): number => turns.take(node, SHARDS, () => each).length;

  it('grant what fits into one, and at least one shard', () => {
    expect(take(1, A_TURN / 10)).toBe(10);
    expect(take(2, 100 * A_TURN)).toBe(1);
    expect(take(3, 0)).toBe(SHARDS.length);
  });

  it('keep nobody waiting for datanodes with little to tell', async () => {
    for (let node = 1; node <= 50; node++) {
      expect(turns.waitMs(node)).toBe(0);
      expect(turns.take(node, [7], () => 4)).toEqual([7]);
      await clock.advance(1);
    }
  });

  it('come one after the other, in the order in which datanodes asked', async () => {
    take(1, A_TURN);
    expect([2, 3, 1].map((node) => turns.waitMs(node))).toEqual([TURN_MS, 2 * TURN_MS, 3 * TURN_MS]);
    await clock.advance(TURN_MS / 2);
    expect([1, 3, 2].map((node) => turns.waitMs(node))).toEqual(
      [2.5, 1.5, 0.5].map((each) => each * TURN_MS),
    );
    await clock.advance(TURN_MS / 2);
    expect(turns.waitMs(2)).toBe(0);
    take(2, A_TURN);
    expect(turns.waitMs(3)).toBe(TURN_MS);
  });

  it('are as long as what was granted, but a datanode with an enormous shard keeps the others waiting no longer than a bound', () => {
    take(1, A_TURN * 2);
    expect(turns.waitMs(2)).toBe(2 * TURN_MS);
    turns = new TellingTurns({ clock });
    take(1, 2 ** 32 - 1);
    expect(turns.waitMs(2)).toBe(LONGEST_TURN_MS);
  });

  it('let whoever missed his in when nobody tells', async () => {
    take(1, A_TURN);
    turns.waitMs(2);
    turns.waitMs(3);
    await clock.advance(10 * TURN_MS);
    expect([3, 2].map((node) => turns.waitMs(node))).toEqual([0, 0]);
  });
});

describe('the pace', () => {
  const keepUsing = async (pace: TellingPace, forMs: number): Promise<number> => {
    for (let passed = 0; passed < forMs; passed += 100) {
      pace.use();
      await clock.advance(100);
    }
    return pace.use();
  };

  it('begins slowly and rises to all that there is while the process keeps up', async () => {
    const pace = new TellingPace({ clock });
    expect(pace.use()).toBe(FIRST_RECORDS_PER_SECOND);
    expect(await keepUsing(pace, 1_000)).toBeGreaterThan(2 * FIRST_RECORDS_PER_SECOND);
    expect(await keepUsing(pace, 5_000)).toBe(FASTEST_RECORDS_PER_SECOND);
  });

  it('falls at once when timers are late, but not below what makes an index whole in the end', async () => {
    let lateMs = 0;
    const late = {
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs: number, callback: () => void) => clock.after(delayMs + lateMs, callback),
    };
    const pace = new TellingPace({ clock: late });
    await keepUsing(pace, 5_000);
    lateMs = 50;
    expect(await keepUsing(pace, 500)).toBeLessThanOrEqual(FASTEST_RECORDS_PER_SECOND / 4);
    expect(await keepUsing(pace, 5_000)).toBe(LASTING_RECORDS_PER_SECOND);
  });

  it('comes to that even if timers were late from the beginning', async () => {
    const late = {
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs: number, callback: () => void) => clock.after(delayMs + 50, callback),
    };
    const pace = new TellingPace({ clock: late });
    expect(await keepUsing(pace, 1_000)).toBeLessThan(2 * FIRST_RECORDS_PER_SECOND);
    expect(await keepUsing(pace, 15_000)).toBe(LASTING_RECORDS_PER_SECOND);
  });

  it('is not watched any more once it was stopped, and by nobody who comes then', () => {
    const pace = new TellingPace({ clock });
    pace.use();
    pace.stop();
    expect(clock.pendingTimers).toBe(0);
    pace.use();
    expect(clock.pendingTimers).toBe(0);
  });

  it('is not watched for long after the last use, and the next one begins slowly', async () => {
    const pace = new TellingPace({ clock });
    await keepUsing(pace, 1_000);
    await clock.advance(5_000);
    expect(clock.pendingTimers).toBe(0);
    expect(pace.use()).toBe(FIRST_RECORDS_PER_SECOND);
  });
});
