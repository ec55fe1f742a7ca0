/** @module How many records a second datanodes may tell a holder that forgot them: few at first, more while the holder keeps up. */
import type { Clock, Timer } from './ports.ts';

/** Who starts again has connections to make and questions to answer, and those who ask cannot be seen before they are connected. */
export const FIRST_RECORDS_PER_SECOND = 4_000;
/** Even on a machine that is always late it comes to this: the index must be whole again some day. */
export const LASTING_RECORDS_PER_SECOND = 16_000;
/** As fast as one process can take them. */
export const FASTEST_RECORDS_PER_SECOND = 256_000;
/** Between two looks at the clock. */
const LOOK_MS = 100;
/** A timer that comes so much too late says that requests wait just as long. */
const LATE_MS = 20;
const BACK_OFF = 0.5;
const SPEED_UP = 1.1;
/** The way from the first to the lasting pace, when timers are late. */
const CREEP = 1.02;
/** After so long without a teller the next one finds the first pace again. */
const IDLE_MS = 2_000;

/** Timers tell whether the process keeps up: they are late when it has too much to do, and when it does not get the processor. */
export class TellingPace {
  readonly #clock: Clock;
  #perSecond = FIRST_RECORDS_PER_SECOND;
  #usedMs = 0;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(components: { readonly clock: Clock }) {
    this.#clock = components.clock;
  }

  /** Records a second, for somebody who tells now. It is watched from then on whether this process keeps up. */
  use(): number {
    this.#usedMs = this.#clock.monotonicMs();
    if (this.#timer === undefined && !this.#isStopped) this.#watch();
    return this.#perSecond;
  }

  /** It is not watched any more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #watch(): void {
    const dueMs = this.#clock.monotonicMs() + LOOK_MS;
    this.#timer = this.#clock.after(LOOK_MS, () => {
      const nowMs = this.#clock.monotonicMs();
      if (nowMs - dueMs > LATE_MS) this.#slowDown();
      else this.#perSecond = Math.min(FASTEST_RECORDS_PER_SECOND, this.#perSecond * SPEED_UP);
      if (nowMs - this.#usedMs < IDLE_MS) return this.#watch();
      this.#timer = undefined;
      this.#perSecond = FIRST_RECORDS_PER_SECOND;
    });
  }

  #slowDown(): void {
    const lasting = LASTING_RECORDS_PER_SECOND;
    this.#perSecond =
      this.#perSecond > lasting
        ? Math.max(lasting, this.#perSecond * BACK_OFF)
        : Math.min(lasting, this.#perSecond * CREEP);
  }
}
