/** @module How long datanodes take to begin to send a block, and what they are sending us: who is best asked next, and from when on one is late. */

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
  /** Blocks that are on their way from a datanode, where there are any. */
  readonly #reads = new Map<number, number>();
  #hedgeMs: number | undefined;

  /** A block is on its way from `node`, until ended() is told of it. Says how many are. */
  began(node: number): number {
    const reads = this.#readsOf(node) + 1;
    this.#reads.set(node, reads);
    return reads;
  }

  ended(node: number): void {
    const left = this.#readsOf(node) - 1;
    if (left > 0) this.#reads.set(node, left);
    else this.#reads.delete(node);
  }

  /** `node` took so long from the request to its first bytes, or did not in so long, while it was at so many reads of ours. */
  note(node: number, waitMs: number, reads = 1): void {
    const mean = this.#meanMs.get(node);
    const alone = waitMs / reads;
    this.#meanMs.set(node, mean === undefined ? alone : mean + NEWEST * (alone - mean));
    this.#waits[this.#next] = waitMs;
    this.#next = (this.#next + 1) % WINDOW;
    this.#hedgeMs = undefined;
  }

  /**
   * In doublings of a millisecond, so that datanodes that are about alike count as alike, and of the blocks that are on their way from
   * there: so they share the work, and one twice as far has half as much of it. Least for one not tried yet.
   */
  distance(node: number): number {
    const mean = this.#meanMs.get(node);
    const doublings = mean === undefined ? -1 : Math.floor(Math.log2(1 + mean));
    return doublings + Math.log2(1 + this.#readsOf(node));
  }

  /** After this time without a byte a second datanode is asked as well: what 95 of 100 reads stay below. */
  get hedgeMs(): number {
    this.#hedgeMs ??= this.#compute();
    return this.#hedgeMs;
  }

  #readsOf(node: number): number {
    return this.#reads.get(node) ?? 0;
  }

  #compute(): number {
    if (this.#waits.length < LEAST_SAMPLES) return GUESS_MS;
    const sorted = this.#waits.toSorted((a, b) => a - b);
    const late = sorted[Math.floor(LATE_SHARE * (sorted.length - 1))] ?? GUESS_MS;
    return Math.max(SHORTEST_HEDGE_MS, Math.min(LONGEST_HEDGE_MS, late));
  }
}
