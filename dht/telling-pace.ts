/** @module How many records a second datanodes may tell a holder that forgot them: few at first, more while the holder keeps up. */
import type { Clock } from './ports.ts';

/** Even on a machine that is always late the index is whole again some day: a million blocks in 75 s for each holder of all of them. */
export const SLOWEST_RECORDS_PER_SECOND = 16_000;
/** As fast as one process can take them. */
export const FASTEST_RECORDS_PER_SECOND = 256_000;
/** Between two looks at the clock. */
const LOOK_MS = 100;
/** A timer that comes so much too late says that requests wait just as long. */
const LATE_MS = 20;
const BACK_OFF = 0.5;
const SPEED_UP = 1.1;
/** After so long without a teller the next one finds the slowest pace again. */
const IDLE_MS = 2_000;

/**
 * Who starts again has connections to make and questions to answer, and those who ask cannot be seen before they are connected: so it
 * begins slowly. Additive increase would take minutes where there is room; a late timer halves at once.
 */
export class TellingPace {
  readonly #clock: Clock;
  #perSecond = SLOWEST_RECORDS_PER_SECOND;
  #usedMs = 0;
  #isWatching = false;

  constructor(components: { readonly clock: Clock }) {
    this.#clock = components.clock;
  }

  /** Records a second, for somebody who tells now. It is watched from then on whether this process keeps up. */
  use(): number {
    this.#usedMs = this.#clock.monotonicMs();
    if (!this.#isWatching) this.#watch();
    return this.#perSecond;
  }

  #watch(): void {
    this.#isWatching = true;
    const dueMs = this.#clock.monotonicMs() + LOOK_MS;
    this.#clock.after(LOOK_MS, () => {
      const nowMs = this.#clock.monotonicMs();
      const wanted = this.#perSecond * (nowMs - dueMs > LATE_MS ? BACK_OFF : SPEED_UP);
      this.#perSecond = Math.min(FASTEST_RECORDS_PER_SECOND, Math.max(SLOWEST_RECORDS_PER_SECOND, wanted));
      if (nowMs - this.#usedMs < IDLE_MS) return this.#watch();
      this.#isWatching = false;
      this.#perSecond = SLOWEST_RECORDS_PER_SECOND;
    });
  }
}
