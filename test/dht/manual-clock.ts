/** @module A clock that stands still until told otherwise. */
import { setImmediate } from 'node:timers/promises';
import type { Clock, Logger, Timer } from '../../dht/ports.ts';

/** Lets everything that is ready run: promises, and the I/O turn after them. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await setImmediate();
}

export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** As a clock of src/ has it; here there is no other time. */
  wallMs(): number {
    return this.#nowMs;
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

  get pendingTimers(): number {
    return this.#timers.size;
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

export const quietLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {} };
