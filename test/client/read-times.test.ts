/** @module Which datanode is asked for the next block. */
import { expect, it } from 'vitest';
import { ReadTimes } from '../../src/client/read-times.ts';

/** Blocks that each of these datanodes is asked for, of so many at once; the first of two as good ones is. */
function shares(times: ReadTimes, nodes: readonly number[], blocks: number): number[] {
  const asked = new Map(nodes.map((node) => [node, 0]));
  for (let block = 0; block < blocks; block += 1) {
    const [next] = nodes.toSorted((a, b) => times.distance(a) - times.distance(b)) as [number];
    times.began(next);
    asked.set(next, (asked.get(next) ?? 0) + 1);
  }
  return [...asked.values()];
}

it('datanodes that are about alike share the blocks that are read at once, known or not', () => {
  expect(shares(new ReadTimes(), [1, 2], 8)).toEqual([4, 4]);
  const times = new ReadTimes();
  for (const [node, waitMs] of [1.1, 1.9, 2.9].entries()) times.note(node, waitMs);
  expect(shares(times, [0, 1, 2], 9)).toEqual([3, 3, 3]);
});

it('one that is farther has less to do, and nothing while a near one has little', () => {
  const times = new ReadTimes();
  times.note(1, 1);
  times.note(2, 20);
  expect(shares(times, [1, 2], 4)).toEqual([4, 0]);
  expect(shares(times, [1, 2], 20)).toEqual([18, 2]);
});

it('a wait beside other reads from there is no sign of a far one', () => {
  const times = new ReadTimes();
  for (let reads = 1; reads <= 8; reads += 1) times.note(1, 2 * reads, reads);
  times.note(2, 3);
  expect(times.distance(1)).toBeLessThan(times.distance(2));
});

it('a block that is over counts no more', () => {
  const times = new ReadTimes();
  times.note(1, 1);
  const before = times.distance(1);
  expect([times.began(1), times.began(1)]).toEqual([1, 2]);
  expect(times.distance(1)).toBeGreaterThan(before);
  times.ended(1);
  times.ended(1);
  expect(times.distance(1)).toBe(before);
});
