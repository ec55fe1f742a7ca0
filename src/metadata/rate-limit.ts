/** @module A token bucket: so many at once, so many a second. */
import type { Clock } from '../common/clock.ts';

export interface RateLimitOptions {
  readonly burst: number;
  readonly perSecond: number;
}

export class RateLimit {
  readonly #clock: Clock;
  readonly #options: RateLimitOptions;
  #available: number;
  #refilledMs: number;

  constructor(components: { readonly clock: Clock }, options: RateLimitOptions) {
    this.#clock = components.clock;
    this.#options = options;
    this.#available = options.burst;
    this.#refilledMs = components.clock.monotonicMs();
  }

  /** Takes one and returns 0, or takes nothing and returns the milliseconds until one is there. */
  take(): number {
    const { burst, perSecond } = this.#options;
    const nowMs = this.#clock.monotonicMs();
    this.#available = Math.min(burst, this.#available + ((nowMs - this.#refilledMs) * perSecond) / 1000);
    this.#refilledMs = nowMs;
    if (this.#available < 1) return ((1 - this.#available) * 1000) / perSecond;
    this.#available -= 1;
    return 0;
  }
}
