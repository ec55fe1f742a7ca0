/** @module Datanodes tell a holder whole shards in turns, each no more than the pace allows: readers and writers do not wait for it. */
import type { Clock } from './ports.ts';
import { TellingPace } from './telling-pace.ts';

/** What is granted at once takes so long at the pace of the moment, if it is more than one shard. */
export const TURN_MS = 250;
/** A shard that is larger makes the others wait no longer, whatever its datanode says of its size. */
export const LONGEST_TURN_MS = 1_000;
/** So far apart at least come those who wait. */
const SHORTEST_TURN_MS = 10;

export class TellingTurns {
  readonly #clock: Clock;
  readonly #pace: TellingPace;
  /** When each datanode that was told to wait shall ask again: one for each member at most. */
  readonly #turns = new Map<number, number>();
  /** When what was granted last has been told, and how long that takes. */
  #freeMs = Number.NEGATIVE_INFINITY;
  #turnMs = TURN_MS;
  /** When the last of those who wait will be through, if their turns take as long as this one. */
  #throughMs = Number.NEGATIVE_INFINITY;

  constructor(components: { readonly clock: Clock }) {
    this.#clock = components.clock;
    this.#pace = new TellingPace(components);
  }

  /** Milliseconds until `node` shall ask again; 0 when it may tell now. Whoever has to wait has a place, and keeps it. */
  waitMs(node: number): number {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#freeMs) return 0;
    const turnMs = this.#turns.get(node) ?? this.#enqueue();
    // The turn before took longer.
    const againMs = Math.max(turnMs, this.#freeMs);
    this.#turns.set(node, againMs);
    return againMs - nowMs;
  }

  /** The first of `shards` that `node`, which need not wait, shall tell: at least one. `recordsOf` is what it says to have in a shard. */
  take(node: number, shards: readonly number[], recordsOf: (shard: number) => number): number[] {
    const perMs = this.#pace.use() / 1000;
    const limit = perMs * TURN_MS;
    const taken: number[] = [];
    let records = 0;
    for (const shard of shards) {
      if (taken.length > 0 && records + recordsOf(shard) > limit) break;
      records += recordsOf(shard);
      taken.push(shard);
    }
    this.#turns.delete(node);
    this.#turnMs = Math.min(LONGEST_TURN_MS, records / perMs);
    this.#freeMs = this.#clock.monotonicMs() + this.#turnMs;
    return taken;
  }

  /** No more turns are taken. */
  stop(): void {
    this.#pace.stop();
  }

  #enqueue(): number {
    const turnMs = Math.max(this.#freeMs, this.#throughMs);
    this.#throughMs = turnMs + Math.max(SHORTEST_TURN_MS, this.#turnMs);
    return turnMs;
  }
}
