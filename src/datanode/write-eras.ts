/** @module In which era each block was last written here: what was written lately may be referred to any moment. */
import type { BlockHash } from '../common/hashing.ts';

/**
 * The namespace refers to a block that nobody refers to yet only in the era it was written in and in the next one
 * (NAMESPACE_WRITTEN_TOO_LONG_AGO). From the second one on nobody will, unless it is written again.
 */
const ERAS_TO_REFER = 2;

/**
 * In memory only. Of what was written before this process started it knows but a bound: the era of the first answer
 * that was asked for since.
 */
export class WriteEras {
  /** No block that has no entry was written in a later era; undefined before the first answer. */
  #bound: number | undefined;
  readonly #eras = new Map<BlockHash, number>();

  /** The block is being written, or wanted for longer. To be called before that is acknowledged. */
  note(hash: BlockHash, era: number): void {
    if (era > (this.#eras.get(hash) ?? 0)) this.#eras.set(hash, era);
  }

  /** What note() said of it last; 0 for nothing. */
  noted(hash: BlockHash): number {
    return this.#eras.get(hash) ?? 0;
  }

  /** The era of a linearizable read that began after the start of this process. Forgets what no longer matters. */
  learn(era: number): void {
    const bound = this.#bound === undefined ? era : Math.max(this.#bound, era - ERAS_TO_REFER);
    // Learned with every page of a round; and lately written blocks are many.
    if (bound === this.#bound) return;
    this.#bound = bound;
    for (const [hash, noted] of this.#eras) if (noted <= bound) this.#eras.delete(hash);
  }

  /** Whether nobody can refer to the block any more at `era`, if nobody did at a read of that era. */
  isSpent(hash: BlockHash, era: number): boolean {
    if (this.#bound === undefined) return false;
    return Math.max(this.#bound, this.noted(hash)) + ERAS_TO_REFER <= era;
  }
}
