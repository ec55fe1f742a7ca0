/** @module The blocks that this keeper knows to have fewer copies than wanted: bounded, the most endangered are kept. */
import type { BlockHash } from '../../common/hashing.ts';
import type { StuckReason } from './repair-planner.ts';

export interface AtRiskBlock {
  readonly hash: BlockHash;
  readonly sizeBytes: number;
  /** Copies wanted. */
  readonly wanted: number;
  /** Readable copies when it was last looked at. */
  readonly left: number;
  /** Of those, the ones on datanodes that stay. */
  readonly counted: number;
  /** Datanodes being emptied that have it. */
  readonly leaving: readonly number[];
  /** Monotonic time before which nothing is done for it. */
  readonly readyMs: number;
  /** Why nothing could be done for it when it was last tried. */
  readonly stuck?: StuckReason | undefined;
}

/** At some 200 bytes each. What does not fit is looked for again when others are safe. */
export const MAX_AT_RISK_BLOCKS = 100_000;

const LOOKED_AT = 256;

export class AtRiskBlocks {
  /** By copies left, then in the order in which they were found. */
  readonly #byLeft: Map<BlockHash, AtRiskBlock>[] = [];
  readonly #leftOf = new Map<BlockHash, number>();
  readonly #limit: number;
  #hasDropped = false;

  constructor(limit: number = MAX_AT_RISK_BLOCKS) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#leftOf.size;
  }

  /** Whether there is room by now for blocks that did not fit; they are to be looked for again, and count as told of. */
  takeVacancy(): boolean {
    if (!this.#hasDropped || this.size > this.#limit / 2) return false;
    this.#hasDropped = false;
    return true;
  }

  get(hash: BlockHash): AtRiskBlock | undefined {
    return this.#byLeft[this.#leftOf.get(hash) ?? -1]?.get(hash);
  }

  put(block: AtRiskBlock): void {
    if (this.#leftOf.get(block.hash) !== block.left) this.remove(block.hash);
    (this.#byLeft[block.left] ??= new Map()).set(block.hash, block);
    this.#leftOf.set(block.hash, block.left);
    if (this.size > this.#limit) this.#dropSafest();
  }

  remove(hash: BlockHash): void {
    const left = this.#leftOf.get(hash);
    if (left === undefined) return;
    this.#byLeft[left]?.delete(hash);
    this.#leftOf.delete(hash);
  }

  /**
   * Whether something can and must be done now for one of them. What was just written, or waits for a datanode to join, does
   * not hold up what else is to be done. Looks at the most endangered only.
   */
  isUrgent(nowMs: number): boolean {
    let looked = 0;
    for (const { readyMs, stuck } of this.inOrderOfDanger()) {
      if (readyMs <= nowMs && stuck !== 'no-copy' && stuck !== 'no-target') return true;
      if ((looked += 1) >= LOOKED_AT) return false;
    }
    return false;
  }

  /** In order of danger. Blocks without any copy come last: nothing can be done for them but to wait. */
  *inOrderOfDanger(): Generator<AtRiskBlock> {
    for (let left = 1; left < this.#byLeft.length; left += 1) yield* this.#byLeft[left]?.values() ?? [];
    yield* this.#byLeft[0]?.values() ?? [];
  }

  #dropSafest(): void {
    this.#hasDropped = true;
    const safest = this.#byLeft.findLast((blocks) => blocks !== undefined && blocks.size > 0);
    for (const hash of safest?.keys() ?? []) return this.remove(hash);
  }
}
