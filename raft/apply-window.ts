/** @module How far the state machine has come: what is applied, what is handed out, and how much may be under way. */
import { invariant } from './errors.ts';
import type { Index } from './types.ts';

/**
 * Invariant: applied <= applying <= committed. Handing out stops at `maxBytes` under way, so that a state machine
 * slower than the log does not pile up memory; one entry always passes.
 */
export class ApplyWindow {
  readonly #maxBytes: number;
  #applied: Index;
  #applying: Index;
  /** Encoded bytes handed out and not yet applied. */
  #bytes = 0;
  #paused = false;

  constructor(applied: Index, maxBytes: number) {
    this.#applied = applied;
    this.#applying = applied;
    this.#maxBytes = maxBytes;
  }

  get applied(): Index {
    return this.#applied;
  }

  /** Everything up to here was handed out. */
  get applying(): Index {
    return this.#applying;
  }

  get freeBytes(): number {
    return this.#maxBytes - this.#bytes;
  }

  /** No more until something is applied. */
  get isPaused(): boolean {
    return this.#paused;
  }

  /** Entries up to `index` are handed out; `appliable` is how far they could have gone without the byte limit. */
  handOut(index: Index, sizeBytes: number, appliable: Index): void {
    this.#applying = index;
    this.#bytes += sizeBytes;
    // Cut short by size: the rest waits until these are applied.
    this.#paused = this.#bytes >= this.#maxBytes || index < appliable;
  }

  /** `sizeBytes` is what handOut was told of these entries. */
  appliedTo(index: Index, sizeBytes: number, committed: Index): void {
    invariant(
      index >= this.#applied && index <= committed,
      () => `applied ${index} is out of range [${this.#applied}, ${committed}]`,
    );
    this.#applied = index;
    this.#applying = Math.max(this.#applying, index);
    this.#bytes = Math.max(0, this.#bytes - sizeBytes);
    this.#paused = this.#bytes >= this.#maxBytes;
  }
}
