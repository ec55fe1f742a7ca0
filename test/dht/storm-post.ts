/** @module How messages travel in a storm, from one seed: at once, late, or never. */
import type { ManualClock } from '../manual-clock.ts';

/** At once; all of them, but late; as they may, if at all. */
export type Weather = 'calm' | 'slow' | 'storm';

export class StormPost {
  weather: Weather = 'calm';
  /** The next number in [0, 1). */
  readonly random: () => number;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock, seed: number) {
    this.#clock = clock;
    this.random = numbersFrom(seed);
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new Error('There is nothing to choose from.');
    return choice;
  }

  /** Whoever gives up does not stop what is on its way: it is done, late, and nobody hears the answer. */
  call<T>(signal: AbortSignal, serve: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#travel(() => {
        try {
          const answer = serve();
          this.#travel(() => resolve(answer));
        } catch (error) {
          this.#travel(() => reject(error));
        }
      });
    });
  }

  #travel(arrive: () => void): void {
    if (this.weather === 'calm') return void this.#clock.after(1, arrive);
    if (this.weather === 'slow') return void this.#clock.after(500 + this.below(1_500), arrive);
    const fate = this.random();
    if (fate < 0.15) return;
    this.#clock.after(fate < 0.6 ? this.below(50) : this.below(9_000), arrive);
  }
}

/** mulberry32 */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
