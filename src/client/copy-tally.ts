/** @module How many copies the blocks of one file were given while it was written. */

export class CopyTally {
  /** How many blocks have how many copies. */
  readonly #blocksByCopies = new Map<number, number>();
  #fewest: number;

  /** `wanted` copies are the fewest of a file without blocks. */
  constructor(wanted: number) {
    this.#fewest = wanted;
  }

  /** The fewest copies that any block has, never more than were wanted. */
  get fewest(): number {
    return this.#fewest;
  }

  /** Of one more block. */
  add(copies: number): void {
    this.#fewest = Math.min(this.#fewest, copies);
    this.#blocksByCopies.set(copies, (this.#blocksByCopies.get(copies) ?? 0) + 1);
  }

  /** How many blocks have fewer copies than that. */
  below(replication: number): number {
    let count = 0;
    for (const [copies, blocks] of this.#blocksByCopies) if (copies < replication) count += blocks;
    return count;
  }
}
