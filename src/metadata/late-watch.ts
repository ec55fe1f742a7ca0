/** @module Deadlines of many waits with one timer: most end long before, and a timer each would cost more than the wait. */
import type { Clock, Timer } from '../common/clock.ts';

/** Who waits. Its signal is not looked at before the wait is LOOK_MS old: some make it only when asked. */
export interface Asker {
  readonly signal: AbortSignal;
}

export interface LateLimit {
  readonly limitMs: number;
  readonly asker?: Asker | undefined;
}

interface Wait {
  readonly deadlineMs: number;
  readonly asker: Asker | undefined;
  readonly giveUp: () => void;
}

/** How often deadlines and signals are looked at, in milliseconds: a wait is given up this much too late at most. */
export const LOOK_MS = 50;

export class LateWatch {
  readonly #clock: Clock;
  readonly #waits = new Set<Wait>();
  #timer: Timer | undefined;

  constructor(components: { readonly clock: Clock }) {
    this.#clock = components.clock;
  }

  /** Settles as `work` does, or rejects with `late()` after the limit or once the asker's signal has fired. */
  wait<T>(work: Promise<T>, { limitMs, asker }: LateLimit, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const deadlineMs = this.#clock.monotonicMs() + limitMs;
      const wait: Wait = { deadlineMs, asker, giveUp: () => reject(late()) };
      this.#waits.add(wait);
      this.#timer ??= this.#clock.every(LOOK_MS, () => this.#look());
      work.then(
        (value) => {
          this.#waits.delete(wait);
          resolve(value);
        },
        (error: unknown) => {
          this.#waits.delete(wait);
          reject(error);
        },
      );
    });
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const wait of this.#waits) {
      if (nowMs < wait.deadlineMs && !wait.asker?.signal.aborted) continue;
      this.#waits.delete(wait);
      wait.giveUp();
    }
    if (this.#waits.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
