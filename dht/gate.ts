/** @module A place to wait until something may have changed. */
import type { Clock } from './ports.ts';

/** Whoever waits looks again at its condition after each open(): `while (!condition) await gate.wait()`. */
export class Gate {
  readonly #waiting = new Set<() => void>();

  open(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Resolves at the next open(); rejects with the signal's reason when aborted first. */
  wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        this.#waiting.delete(wake);
        reject(signal?.reason);
      };
      const wake = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Resolves at the next open(), but no later than `delayMs` from now. */
  waitAtMost(clock: Clock, delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = clock.after(delayMs, wake);
      this.#waiting.add(wake);
    });
  }
}
