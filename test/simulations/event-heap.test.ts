import { describe, expect, it } from 'vitest';
import { Prng } from '../../simulations/prng.ts';
import { EventHeap } from '../../simulations/world/event-heap.ts';

const EVENTS = 2_000;
const LAST_MS = 100;

describe('the heap of events', () => {
  it('gives what was not cancelled by time and then by order of adding, however many were cancelled', () => {
    const random = new Prng(1, 'heap');
    const heap = new EventHeap();
    const taken: number[] = [];
    const kept: { readonly atMs: number; readonly number: number }[] = [];
    for (let number = 0; number < EVENTS; number += 1) {
      const atMs = random.int(LAST_MS);
      const timer = heap.add(atMs, () => taken.push(number));
      if (random.chance(0.2)) kept.push({ atMs, number });
      else timer.cancel();
    }
    for (let event = heap.takeUntil(LAST_MS); event !== undefined; event = heap.takeUntil(LAST_MS))
      event.callback();
    expect(taken).toEqual(
      kept.toSorted((a, b) => a.atMs - b.atMs || a.number - b.number).map(({ number }) => number),
    );
  });

  it('takes no notice of an event that is cancelled after it was taken', () => {
    const heap = new EventHeap();
    const first = heap.add(1, () => {});
    heap.add(2, () => {});
    expect(heap.takeUntil(1)?.atMs).toBe(1);
    first.cancel();
    expect(heap.takeUntil(2)?.atMs).toBe(2);
  });
});
