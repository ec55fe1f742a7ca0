/** @module Copies that no client waits for: full speed on an idle datanode, a trickle while clients are served. */
import type { Clock } from '../common/clock.ts';
import { orAborted } from '../common/deadline.ts';
import { Pacer } from '../common/pacer.ts';

export interface BackgroundPaceComponents {
  readonly clock: Clock;
  /** Whether clients are being served now, or were a moment ago. */
  readonly load: { isServingClients(): boolean };
}

/** Copies that this datanode sends at once. */
const IDLE_SENDS = 4;
const BUSY_SENDS = 1;
/** While clients are served, each way; less when the process does not keep up. Repair must end, even under load for ever. */
const BUSY_BYTES_PER_SECOND: number = 16 * 1024 * 1024;

export class BackgroundPace {
  readonly #load: BackgroundPaceComponents['load'];
  readonly #pacer: Pacer;
  #sending = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(components: BackgroundPaceComponents) {
    this.#load = components.load;
    this.#pacer = new Pacer(components, { maxBytesPerSecond: BUSY_BYTES_PER_SECOND });
  }

  /** Resolves when so many bytes may follow. Rejects with the signal's reason. */
  async pass(bytes: number, signal?: AbortSignal): Promise<void> {
    if (this.#load.isServingClients()) await this.#pacer.spend(bytes, signal);
  }

  /** Runs `task` when it is its turn. Rejects with the signal's reason while it waits. */
  async inTurn<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    if (this.#sending >= this.#mostSends()) await this.#wait(signal);
    else this.#sending += 1;
    try {
      return await task();
    } finally {
      this.#sending -= 1;
      this.#wake();
    }
  }

  /** Whoever wakes it has counted it as sending already. */
  async #wait(signal: AbortSignal): Promise<void> {
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn.resolve);
    try {
      await orAborted(turn.promise, signal);
    } catch (error) {
      const at = this.#waiting.indexOf(turn.resolve);
      if (at >= 0) this.#waiting.splice(at, 1);
      else {
        // Woken and called off in one moment: the turn is the next one's.
        this.#sending -= 1;
        this.#wake();
      }
      throw error;
    }
  }

  #wake(): void {
    while (this.#waiting.length > 0 && this.#sending < this.#mostSends()) {
      this.#sending += 1;
      this.#waiting.shift()?.();
    }
  }

  #mostSends(): number {
    return this.#load.isServingClients() ? BUSY_SENDS : IDLE_SENDS;
  }
}
