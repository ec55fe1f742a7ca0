/** @module How much may be held at once: a first-come first-served budget of bytes (or of anything counted). */
import { orAborted } from './deadline.ts';

interface Waiter {
  readonly amount: number;
  readonly admit: () => void;
}

export class ByteBudget {
  readonly #limit: number;
  #held = 0;
  #waiting: Waiter[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether `amount` fits at once, and then is held. */
  tryAcquire(amount: number): boolean {
    if (this.#waiting.length > 0 || !this.#fits(amount)) return false;
    this.#held += amount;
    return true;
  }

  /** Resolves when `amount` fits. More than the whole limit is admitted alone, so that nothing waits for ever. */
  async acquire(amount: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.tryAcquire(amount)) return;
    let admit!: () => void;
    const admitted = new Promise<void>((resolve) => (admit = resolve));
    const waiter = { amount, admit };
    this.#waiting.push(waiter);
    if (signal === undefined) return admitted;
    try {
      await orAborted(admitted, signal);
    } catch (reason) {
      this.#giveUp(waiter);
      throw reason;
    }
  }

  release(amount: number): void {
    this.#held -= amount;
    this.#admitWaiting();
  }

  #fits(amount: number): boolean {
    return this.#held === 0 || this.#held + amount <= this.#limit;
  }

  #admitWaiting(): void {
    for (
      let next = this.#waiting[0];
      next !== undefined && this.#fits(next.amount);
      next = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#held += next.amount;
      next.admit();
    }
  }

  /** A waiter that was admitted in the same turn as its abort gives back what it got. */
  #giveUp(waiter: Waiter): void {
    const position = this.#waiting.indexOf(waiter);
    if (position === -1) this.#held -= waiter.amount;
    else this.#waiting.splice(position, 1);
    this.#admitWaiting();
  }
}
