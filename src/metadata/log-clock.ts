/** @module The time that entries of the log are to carry: by it leases, sessions and tokens end. It never stands still. */
import type { Clock } from '../common/clock.ts';
import type { StateMachine } from '../namespace/state-machine.ts';

/**
 * How fast it goes on while the wall clock is behind what was committed, in milliseconds a millisecond: what lasts a minute
 * lasts some seconds longer then, and the wall clock catches up.
 */
export const RATE_WHILE_AHEAD = 0.9;

export interface LogClockComponents {
  readonly clock: Pick<Clock, 'wallMs' | 'monotonicMs'>;
  readonly machine: Pick<StateMachine, 'counters'>;
}

export class LogClock {
  readonly #components: LogClockComponents;
  /** A committed time, and when it was seen here. */
  #committedMs = 0;
  #seenAtMs = 0;

  constructor(components: LogClockComponents) {
    this.#components = components;
  }

  /**
   * Milliseconds since 1970: by the wall clock, or, where an earlier leader's was ahead of it or it was set back, from the
   * latest committed time on. Else whatever that leader had granted would never end before this clock is so late, too.
   */
  nowMs(): number {
    const { clock, machine } = this.#components;
    const monotonicMs = clock.monotonicMs();
    const { timeMs } = machine.counters();
    let goneOnMs = this.#committedMs + RATE_WHILE_AHEAD * (monotonicMs - this.#seenAtMs);
    if (timeMs > goneOnMs) {
      this.#committedMs = timeMs;
      this.#seenAtMs = monotonicMs;
      goneOnMs = timeMs;
    }
    return Math.max(clock.wallMs(), Math.floor(goneOnMs));
  }
}
