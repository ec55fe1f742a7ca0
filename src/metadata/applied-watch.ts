/** @module Lets readers wait until the state machine has reached an index. */
import type { Index } from '../../raft/types.ts';

interface Waiter {
  readonly index: Index;
  readonly resolve: () => void;
}

export class AppliedWatch {
  #applied: Index;
  #waiters: Waiter[] = [];

  constructor(applied: Index) {
    this.#applied = applied;
  }

  get applied(): Index {
    return this.#applied;
  }

  reached(index: Index): void {
    this.#applied = Math.max(this.#applied, index);
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter((waiter) => waiter.index <= this.#applied);
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.index > this.#applied);
    for (const { resolve } of ready) resolve();
  }

  /** Resolves once applied >= `index`; callers bring their own deadline. */
  wait(index: Index): Promise<void> {
    if (index <= this.#applied) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ index, resolve }));
  }
}
