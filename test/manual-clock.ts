/** @module A clock that stands still until told otherwise. */
import { setImmediate } from 'node:timers/promises';
import type { Clock, Timer } from '../src/common/clock.ts';

/** Between the two clocks of a machine: whoever takes one for the other is found out. */
const EPOCH_MS = 1_700_000_000_000;

/** Lets everything that is ready run: promises, and some I/O. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await setImmediate();
}

export class ManualClock implements Clock {
  /** Added to every timer, as a process that is too busy to wake up on time would. */
  lagMs = 0;
  #nowMs = 0;
  readonly #timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();

  /** Timers that were neither fired nor cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  wallMs(): number {
    return EPOCH_MS + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = { dueMs: this.#nowMs + delayMs + this.lagMs, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  every(periodMs: number, callback: () => void): Timer {
    const repeat = (): Timer =>
      this.after(periodMs, () => {
        timer = repeat();
        callback();
      });
    let timer = repeat();
    return { cancel: () => timer.cancel() };
  }

  /** Moves time on, firing timers in order, and lets what they started run. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      await settle();
      const [next] = [...this.#timers].toSorted((a, b) => a.dueMs - b.dueMs);
      if (next === undefined || next.dueMs > untilMs) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}
