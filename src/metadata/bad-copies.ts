/** @module Copies that readers found damaged: not offered again until the datanode had time to heal or drop them. */
import type { Clock } from '../common/clock.ts';
import type { BlockHash } from '../common/hashing.ts';

/**
 * How long a reported copy is not offered, in milliseconds: time for its datanode to look at it and drop it. Not much
 * longer, since a good copy may be there by then, and whoever meets a bad one reports it again.
 */
export const BAD_COPY_MS = 60_000;
/**
 * How long one is still not offered that its datanode has taken out of service, in milliseconds: time for the withdrawal to
 * reach the index. From then on the index is right again, also about a new copy on the same datanode.
 */
export const WITHDRAWAL_MS = 2_000;
/** Reports remembered, at most; the oldest go first. */
const MAX_BAD_COPIES = 65_536;

export class BadCopies {
  readonly #clock: Clock;
  /** `hash/node` -> monotonic time of its end, in order of insertion. */
  readonly #until = new Map<string, number>();

  constructor(components: { readonly clock: Clock }) {
    this.#clock = components.clock;
  }

  report(hash: BlockHash, node: number): void {
    this.#hide(keyOf(hash, node), BAD_COPY_MS);
  }

  /** The datanode says that it has no copy in service, or none any more. No effect on one that is forgiven. */
  withdrawn(hash: BlockHash, node: number): void {
    const key = keyOf(hash, node);
    if (this.#until.has(key)) this.#hide(key, WITHDRAWAL_MS);
  }

  /** The datanode has read it whole since, and it was good; or has another one there. */
  forgive(hash: BlockHash, node: number): void {
    this.#until.delete(keyOf(hash, node));
  }

  isBad(hash: BlockHash, node: number): boolean {
    if (this.#until.size === 0) return false;
    const key = keyOf(hash, node);
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (this.#clock.monotonicMs() < until) return true;
    this.#until.delete(key);
    return false;
  }

  #hide(key: string, forMs: number): void {
    this.#until.delete(key);
    const oldest = this.#until.keys().next();
    if (this.#until.size >= MAX_BAD_COPIES && !oldest.done) this.#until.delete(oldest.value);
    this.#until.set(key, this.#clock.monotonicMs() + forMs);
  }
}

function keyOf(hash: BlockHash, node: number): string {
  return `${hash}/${node}`;
}
