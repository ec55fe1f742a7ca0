/** @module Which copies a store has taken out of service but not deleted, and why. In memory; the shelves keep them. */
import type { QuarantinedBlock } from './block-info.ts';
import type { BlockHash } from '../common/hashing.ts';

export class Quarantine {
  readonly #blocks = new Map<BlockHash, QuarantinedBlock>();
  /** Absent after a change, until somebody lists. */
  #sorted: readonly BlockHash[] | undefined;
  #totalBytes = 0;

  get count(): number {
    return this.#blocks.size;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  get(hash: BlockHash): QuarantinedBlock | undefined {
    return this.#blocks.get(hash);
  }

  /** Takes the place of what is there under the same hash. */
  add(block: QuarantinedBlock): void {
    this.delete(block.hash);
    this.#blocks.set(block.hash, block);
    this.#totalBytes += block.sizeBytes;
    this.#sorted = undefined;
  }

  delete(hash: BlockHash): void {
    const block = this.#blocks.get(hash);
    if (block === undefined) return;
    this.#blocks.delete(hash);
    this.#totalBytes -= block.sizeBytes;
    this.#sorted = undefined;
  }

  /** At most `limit` in hash order, from `after` (exclusive) on. */
  list(after: BlockHash | undefined, limit: number): readonly QuarantinedBlock[] {
    this.#sorted ??= [...this.#blocks.keys()].toSorted();
    const from = after === undefined ? 0 : firstAbove(this.#sorted, after);
    return this.#sorted
      .slice(from, from + limit)
      .map((hash) => this.#blocks.get(hash))
      .filter((block) => block !== undefined);
  }
}

/** Position of the first of `sorted` above `value`. */
function firstAbove(sorted: readonly string[], value: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as string) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
