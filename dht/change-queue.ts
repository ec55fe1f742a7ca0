/** @module The latest word about each hash, oldest first, with those who wait for it to be heard. */
import type { Delivery } from './delivery.ts';
import type { BlockHash } from './ports.ts';

export interface Change {
  /** Announced (true) or withdrawn (false). */
  readonly present: boolean;
  readonly deliveries: readonly Delivery[];
}

export type Changes = ReadonlyMap<BlockHash, Change>;

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
    const earlier = this.#changes.get(hash)?.deliveries;
    const deliveries = earlier === undefined ? [delivery] : [...new Set(earlier).add(delivery)];
    this.#changes.set(hash, { present, deliveries });
  }

  /** Takes out the oldest changes, at most `limit`. */
  take(limit: number): Changes {
    if (this.#changes.size <= limit) {
      const all = this.#changes;
      this.#changes = new Map();
      return all;
    }
    const taken = new Map<BlockHash, Change>();
    for (const [hash, change] of this.#changes) {
      if (taken.size === limit) break;
      this.#changes.delete(hash);
      taken.set(hash, change);
    }
    return taken;
  }

  /** Back to the front, so that the next batch repeats this one except where there is a newer word. */
  putBack(changes: Changes): void {
    const merged = new Map(changes);
    for (const [hash, newer] of this.#changes) {
      const older = merged.get(hash)?.deliveries ?? [];
      merged.set(hash, { present: newer.present, deliveries: [...new Set([...older, ...newer.deliveries])] });
    }
    this.#changes = merged;
  }

  hashes(): Iterable<BlockHash> {
    return this.#changes.keys();
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
