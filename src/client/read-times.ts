/** @module How long datanodes take to begin to send a block: who is near, and from when on one is late. */

/** Waits remembered for the percentile. */
const WINDOW = 256;
/** Before so many are known a guess is better. */
const LEAST_SAMPLES = 20;
const GUESS_MS = 300;
/** Below this a second request costs more than it saves; above, it comes too late for anybody. */
const SHORTEST_HEDGE_MS = 30;
const LONGEST_HEDGE_MS = 1_000;
const LATE_SHARE = 0.95;
/** Weight of the newest wait in a datanode's mean. */
const NEWEST = 0.25;

export class ReadTimes {
  readonly #waits: number[] = [];
  #next = 0;
  /** Bounded by the number of datanodes. */
  readonly #meanMs = new Map<number, number>();
  #hedgeMs: number | undefined;

  /** `node` took so long from the request to its first bytes, or did not in so long. */
  note(node: number, waitMs: number): void {
    const mean = this.#meanMs.get(node);
    this.#meanMs.set(node, mean === undefined ? waitMs : mean + NEWEST * (waitMs - mean));
    this.#waits[this.#next] = waitMs;
    this.#next = (this.#next + 1) % WINDOW;
    this.#hedgeMs = undefined;
  }

  /** In doublings of a millisecond, so that datanodes that are about alike share the work; -1 for one not tried yet. */
  distance(node: number): number {
    const mean = this.#meanMs.get(node);
    return mean === undefined ? -1 : Math.floor(Math.log2(1 + mean));
  }

  /** After this time without a byte a second datanode is asked as well: what 95 of 100 reads stay below. */
  get hedgeMs(): number {
    this.#hedgeMs ??= this.#compute();
    return this.#hedgeMs;
  }

  #compute(): number {
    if (this.#waits.length < LEAST_SAMPLES) return GUESS_MS;
    const sorted = this.#waits.toSorted((a, b) => a - b);
    const late = sorted[Math.floor(LATE_SHARE * (sorted.length - 1))] ?? GUESS_MS;
    return Math.max(SHORTEST_HEDGE_MS, Math.min(LONGEST_HEDGE_MS, late));
  }
}
