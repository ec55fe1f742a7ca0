/** @module The latest word about each hash, oldest first, with those who wait for it to be heard. */
import type { Delivery } from './delivery.ts';
import type { BlockHash } from './ports.ts';

export interface Change {
  /** Announced (true) or withdrawn (false). */
  readonly present: boolean;
  readonly deliveries: readonly Delivery[];
}

export interface Batch {
  readonly changes: ReadonlyMap<BlockHash, Change>;
  /** Everything of a full re-announcement was in this batch or in earlier ones. */
  readonly reset: boolean;
}

/** Stands in the queue for the end of a full re-announcement; no hash looks like it. */
const RESET = '';
const NOBODY_WAITS: Change = { present: true, deliveries: [] };

export class ChangeQueue {
  #changes = new Map<BlockHash, Change>();

  get size(): number {
    return this.#changes.size;
  }

  has(hash: BlockHash): boolean {
    return this.#changes.has(hash);
  }

  /** The latest word wins and keeps the place of an earlier one; who waited for that one waits for this. */
  put(delivery: Delivery): void {
    const { hash, present } = delivery;
    const deliveries = new Set(this.#changes.get(hash)?.deliveries).add(delivery);
    this.#changes.set(hash, { present, deliveries: [...deliveries] });
  }

  /** An announcement nobody waits for; leaves what is already queued about the hash as it is. */
  putQuietly(hash: BlockHash): void {
    if (!this.#changes.has(hash)) this.#changes.set(hash, NOBODY_WAITS);
  }

  putReset(): void {
    this.#changes.set(RESET, NOBODY_WAITS);
  }

  /** Takes out the oldest changes, at most `limit`, no further than a reset. */
  take(limit: number): Batch {
    const changes = new Map<BlockHash, Change>();
    for (const [hash, change] of this.#changes) {
      if (changes.size === limit) break;
      this.#changes.delete(hash);
      if (hash === RESET) return { changes, reset: true };
      changes.set(hash, change);
    }
    return { changes, reset: false };
  }

  /** Back to the front, so that the next batch repeats this one except where there is a newer word. */
  putBack({ changes, reset }: Batch): void {
    const merged = new Map(changes);
    if (reset) merged.set(RESET, NOBODY_WAITS);
    for (const [hash, newer] of this.#changes) {
      const older = merged.get(hash)?.deliveries ?? [];
      merged.set(hash, { present: newer.present, deliveries: [...new Set([...older, ...newer.deliveries])] });
    }
    this.#changes = merged;
  }

  /** Keeps only what somebody still waits for; returns how much was dropped. */
  dropSettled(): number {
    const kept = [...this.#changes].filter(([, { deliveries }]) => deliveries.some((each) => !each.settled));
    const dropped = this.#changes.size - kept.length;
    if (dropped > 0) this.#changes = new Map(kept);
    return dropped;
  }

  clear(): void {
    this.#changes.clear();
  }
}
