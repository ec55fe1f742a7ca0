/** @module What the copies of one block are worth now. Pure. */

export interface Copies {
  /** On datanodes that live and stay: these are what the policy counts. Ascending numbers. */
  readonly good: readonly number[];
  /** Readable as well, on datanodes that are being emptied. */
  readonly leaving: readonly number[];
}

export interface CensusView {
  isLive(node: number): boolean;
  isCounted(node: number): boolean;
  isBad(hash: string, node: number): boolean;
}

/** `nodes`: who is said to hold the block; who is named twice counts once. */
export function takeCensus(view: CensusView, hash: string, nodes: Iterable<number>): Copies {
  const readable = [...new Set(nodes)]
    .filter((node) => view.isLive(node) && !view.isBad(hash, node))
    .toSorted((a, b) => a - b);
  return {
    good: readable.filter((node) => view.isCounted(node)),
    leaving: readable.filter((node) => !view.isCounted(node)),
  };
}

/** How many losses of a datanode the block can bear, and one more. */
export function copiesLeft({ good, leaving }: Copies): number {
  return good.length + leaving.length;
}
