/** @module Which datanodes have failed lately, so that one silent node does not cost a time-out per block. */
import type { Clock } from '../common/clock.ts';

/** A failed node is tried last for this long, in milliseconds. */
const PENALTY_MS = 20_000;

export class NodeStanding {
  readonly #clock: Clock;
  /** Bounded by the number of datanodes. */
  readonly #badUntilMs = new Map<number, number>();

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  failed(node: number): void {
    this.#badUntilMs.set(node, this.#clock.monotonicMs() + PENALTY_MS);
  }

  served(node: number): void {
    this.#badUntilMs.delete(node);
  }

  isBad(node: number): boolean {
    const until = this.#badUntilMs.get(node);
    if (until === undefined) return false;
    if (this.#clock.monotonicMs() < until) return true;
    this.#badUntilMs.delete(node);
    return false;
  }

  bad(): readonly number[] {
    return [...this.#badUntilMs.keys()].filter((node) => this.isBad(node));
  }
}
