/** @module What a caller of the announcer waits for: each of its hashes taken by enough of its shard's holders. */
import type { BlockHash, PeerId } from './ports.ts';

/** An announcement is acknowledged once this many of the shard's holders took it, or all if there are fewer. */
export const ACKNOWLEDGING_HOLDERS = 2;

/** One hash of one call on its way to its holders. */
export class Delivery {
  readonly hash: BlockHash;
  /** Announced (true) or withdrawn (false). */
  readonly present: boolean;
  readonly #onSettled: (delivery: Delivery) => void;
  #takenBy: PeerId[] = [];
  #holders: readonly PeerId[] = [];
  #settled = false;

  constructor(hash: BlockHash, present: boolean, onSettled: (delivery: Delivery) => void) {
    this.hash = hash;
    this.present = present;
    this.#onSettled = onSettled;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Says who counts from now on; what former holders took counts no more. Returns those still to be told. */
  expect(holders: readonly PeerId[]): readonly PeerId[] {
    this.#holders = holders;
    if (this.#takenBy.length === 0) return holders;
    this.#maybeSettle();
    return holders.filter((peer) => !this.#takenBy.includes(peer));
  }

  takenBy(peer: PeerId): void {
    this.#takenBy.push(peer);
    this.#maybeSettle();
  }

  /** This holder began anew, and has nothing any more of what it took. False when that was not this. */
  forgottenBy(peer: PeerId): boolean {
    const isForgotten = this.#takenBy.includes(peer);
    if (isForgotten) this.#takenBy = this.#takenBy.filter((each) => each !== peer);
    return isForgotten;
  }

  #maybeSettle(): void {
    if (this.#settled) return;
    const needed = Math.max(1, Math.min(ACKNOWLEDGING_HOLDERS, this.#holders.length));
    let taken = 0;
    for (const peer of this.#holders) if (this.#takenBy.includes(peer)) taken += 1;
    if (taken < needed) return;
    this.#settled = true;
    this.#onSettled(this);
  }
}

/** Resolves a call once as many deliveries as were counted in have settled. */
export class Receipt {
  readonly #outcome = Promise.withResolvers<void>();
  #open = 1;

  /** One more delivery to wait for. */
  add(): void {
    this.#open++;
  }

  settleOne(): void {
    this.#open--;
    if (this.#open === 0) this.#outcome.resolve();
  }

  /** Call once, after the last add(). Rejects with the signal's reason when aborted first. */
  complete(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#outcome.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    this.settleOne();
    return this.#outcome.promise.finally(() => signal.removeEventListener('abort', onAbort));
  }
}
