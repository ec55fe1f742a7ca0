/** @module One process's limit on bytes that all its channels together may have on the way to slow readers. */
import { assert } from '../common/errors.ts';
import { MIB } from '../common/bytes.ts';

/** Beyond it channels keep their initial window: slower over long distances, never stuck. */
export const RECEIVE_BUDGET_BYTES: number = 64 * MIB;

export class ReceiveBudget {
  #leftBytes: number;

  constructor(options: { limitBytes: number }) {
    this.#leftBytes = options.limitBytes;
  }

  /** Says whether it took `sizeBytes`, to be given back later. */
  take(sizeBytes: number): boolean {
    if (this.#leftBytes < sizeBytes) return false;
    this.#leftBytes -= sizeBytes;
    return true;
  }

  giveBack(sizeBytes: number): void {
    assert(sizeBytes >= 0, 'a budget gets back what was taken');
    this.#leftBytes += sizeBytes;
  }
}
