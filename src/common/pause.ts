/** @module A pause that others may end: what a background worker does between two steps, hundreds of times a second in all. */
import type { Clock, Timer } from './clock.ts';

/** One waits at a time. Lighter than an AbortSignal, of which each pause would need a new one. */
export class Pause {
  readonly #clock: Clock;
  #isWoken = false;
  #end: (() => void) | undefined;

  constructor(components: { readonly clock: Clock }) {
    this.#clock = components.clock;
  }

  /** Resolves after `delayMs`, or with true as soon as it is woken: at once when it was since the last wait. */
  async wait(delayMs: number): Promise<boolean> {
    let timer: Timer | undefined;
    if (!this.#isWoken)
      await new Promise<void>((resolve) => {
        this.#end = resolve;
        timer = this.#clock.after(delayMs, resolve);
      });
    timer?.cancel();
    this.#end = undefined;
    const isWoken = this.#isWoken;
    this.#isWoken = false;
    return isWoken;
  }

  wake(): void {
    this.#isWoken = true;
    this.#end?.();
  }
}
