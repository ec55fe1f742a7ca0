/** @module Slows a bulk transfer down to a rate, and further while this process is too busy to wake up on time. */
import { type Clock, sleep } from './clock.ts';

export interface PacerOptions {
  readonly maxBytesPerSecond: number;
}

/** A timer that comes so much too late says that requests wait just as long, in milliseconds. */
const BUSY_LAG_MS = 15;
/** The rate never falls below this share of its bound: a snapshot must end some day. */
const MIN_SHARE = 1 / 8;
const BACK_OFF = 0.5;
const RECOVERY = 1.1;
/** Shorter sleeps than this are gathered into one: a timer cannot do better. */
const MIN_SLEEP_MS = 2;

/** Backs off at once and recovers slowly: a snapshot has time, requests have not. */
export class Pacer {
  readonly #clock: Clock;
  readonly #maxBytesPerSecond: number;
  #share = 1;
  #owedMs = 0;

  constructor(components: { readonly clock: Clock }, options: PacerOptions) {
    this.#clock = components.clock;
    this.#maxBytesPerSecond = options.maxBytesPerSecond;
  }

  /** Bytes per second it lets pass now. */
  get bytesPerSecond(): number {
    return this.#maxBytesPerSecond * this.#share;
  }

  /** Resolves when so many bytes may follow. Rejects with the signal's reason. */
  async spend(bytes: number, signal?: AbortSignal): Promise<void> {
    this.#owedMs += (bytes / this.bytesPerSecond) * 1000;
    if (this.#owedMs < MIN_SLEEP_MS) return;
    const wantedMs = this.#owedMs;
    const startMs = this.#clock.monotonicMs();
    await sleep(this.#clock, wantedMs, signal);
    const lagMs = this.#clock.monotonicMs() - startMs - wantedMs;
    // What it overslept was time for others, and is not made up for by haste.
    this.#owedMs = 0;
    this.#share =
      lagMs > BUSY_LAG_MS ? Math.max(MIN_SHARE, this.#share * BACK_OFF) : Math.min(1, this.#share * RECOVERY);
  }
}
