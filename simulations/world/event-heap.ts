/** @module A binary heap of events by (time, order of adding), so that one seed has one order. */
import type { Timer } from '../../src/common/clock.ts';

export interface Event {
  readonly atMs: number;
  readonly callback: () => void;
}

interface Entry extends Event {
  readonly sequence: number;
  cancelled: boolean;
}

export class EventHeap {
  readonly #entries: Entry[] = [];
  #added = 0;

  add(atMs: number, callback: () => void): Timer {
    this.#added += 1;
    const entry: Entry = { atMs, callback, sequence: this.#added, cancelled: false };
    this.#entries.push(entry);
    this.#rise(this.#entries.length - 1);
    return {
      cancel: () => {
        entry.cancelled = true;
      },
    };
  }

  /** Takes out the first event that was not cancelled, if it is not later than `untilMs`. */
  takeUntil(untilMs: number): Event | undefined {
    for (;;) {
      const first = this.#entries[0];
      if (first === undefined || first.atMs > untilMs) return undefined;
      this.#removeFirst();
      if (!first.cancelled) return first;
    }
  }

  #removeFirst(): void {
    const last = this.#entries.pop();
    if (last === undefined || this.#entries.length === 0) return;
    this.#entries[0] = last;
    this.#sink(0);
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      let least = at;
      if (left < this.#entries.length && this.#isBefore(left, least)) least = left;
      if (left + 1 < this.#entries.length && this.#isBefore(left + 1, least)) least = left + 1;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [left, right] = [this.#at(a), this.#at(b)];
    return left.atMs === right.atMs ? left.sequence < right.sequence : left.atMs < right.atMs;
  }

  #swap(a: number, b: number): void {
    const left = this.#at(a);
    this.#entries[a] = this.#at(b);
    this.#entries[b] = left;
  }

  #at(position: number): Entry {
    const entry = this.#entries[position];
    if (entry === undefined) throw new RangeError(`The heap has no place ${position}.`);
    return entry;
  }
}
