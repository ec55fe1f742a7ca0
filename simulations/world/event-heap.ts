/** @module A binary heap of events by (time, order of adding), so that one seed has one order. */
import type { Timer } from '../../src/common/clock.ts';

export interface Event {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Its own handle: one object for each of the very many. */
class Entry implements Event, Timer {
  readonly atMs: number;
  readonly callback: () => void;
  readonly sequence: number;
  readonly #cancelled: () => void;
  /** It was taken out, or cancelled: then it is still in the heap, for a while. */
  isOver = false;

  constructor(event: Event, sequence: number, cancelled: () => void) {
    this.atMs = event.atMs;
    this.callback = event.callback;
    this.sequence = sequence;
    this.#cancelled = cancelled;
  }

  cancel(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#cancelled();
  }
}

/** Of the heap, above which cancelled events are swept out: most time limits are never reached. */
const MOST_CANCELLED_SHARE = 0.5;
const FEWEST_TO_SWEEP = 64;

export class EventHeap {
  #entries: Entry[] = [];
  #added = 0;
  /** Of the entries. */
  #cancelled = 0;
  readonly #onCancelled = (): void => {
    this.#cancelled += 1;
    this.#maybeSweep();
  };

  add(atMs: number, callback: () => void): Timer {
    this.#added += 1;
    const entry = new Entry({ atMs, callback }, this.#added, this.#onCancelled);
    this.#entries.push(entry);
    this.#rise(this.#entries.length - 1);
    return entry;
  }

  /** Takes out the first event that was not cancelled, if it is not later than `untilMs`. */
  takeUntil(untilMs: number): Event | undefined {
    for (;;) {
      const first = this.#entries[0];
      if (first === undefined || first.atMs > untilMs) return undefined;
      this.#removeFirst();
      if (!first.isOver) {
        first.isOver = true;
        return first;
      }
      this.#cancelled -= 1;
    }
  }

  clear(): void {
    this.#entries = [];
    this.#cancelled = 0;
  }

  #maybeSweep(): void {
    const { length } = this.#entries;
    if (length < FEWEST_TO_SWEEP || this.#cancelled < length * MOST_CANCELLED_SHARE) return;
    this.#entries = this.#entries.filter(({ isOver }) => !isOver);
    this.#cancelled = 0;
    for (let at = this.#entries.length >> 1; at > 0; at -= 1) this.#sink(at - 1);
  }

  #removeFirst(): void {
    const last = this.#entries.pop();
    if (last === undefined || this.#entries.length === 0) return;
    this.#entries[0] = last;
    this.#sink(0);
  }

  #rise(from: number): void {
    const entry = this.#at(from);
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#at(parent);
      if (!isBefore(entry, above)) break;
      this.#entries[at] = above;
      at = parent;
    }
    this.#entries[at] = entry;
  }

  #sink(from: number): void {
    const entries = this.#entries;
    const entry = this.#at(from);
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && isBefore(this.#at(child + 1), this.#at(child))) child += 1;
      const below = this.#at(child);
      if (!isBefore(below, entry)) break;
      entries[at] = below;
      at = child;
    }
    entries[at] = entry;
  }

  #at(position: number): Entry {
    const entry = this.#entries[position];
    if (entry === undefined) throw new RangeError(`The heap has no place ${position}.`);
    return entry;
  }
}

function isBefore(left: Entry, right: Entry): boolean {
  return left.atMs === right.atMs ? left.sequence < right.sequence : left.atMs < right.atMs;
}
