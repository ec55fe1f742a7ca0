/** @module Of texts with a number each: the largest number among those that begin with some text. */

interface Row {
  readonly text: string;
  readonly number: number;
}

/** Those that begin alike stand together when sorted; a tree of maxima answers for each such range. */
export class PrefixIndex {
  readonly #rows: readonly Row[];
  /** Leaves from `#rows.length` on; node n is the larger of 2n and 2n + 1. */
  readonly #tree: readonly number[];

  constructor(rows: readonly Row[]) {
    this.#rows = rows.toSorted((left, right) =>
      left.text < right.text ? -1 : Number(left.text > right.text),
    );
    const tree = [...this.#rows.map(() => -1), ...this.#rows.map(({ number }) => number)];
    for (let node = this.#rows.length - 1; node > 0; node -= 1)
      tree[node] = Math.max(tree[2 * node] as number, tree[2 * node + 1] as number);
    this.#tree = tree;
  }

  /** -1 where none begins with `prefix`. */
  largest(prefix: string): number {
    let from = this.#indexWhere((text) => text >= prefix) + this.#rows.length;
    let to = this.#indexWhere((text) => text > prefix && !text.startsWith(prefix)) + this.#rows.length;
    let found = -1;
    for (; from < to; from >>= 1, to >>= 1) {
      if (from % 2 === 1) found = Math.max(found, this.#tree[from++] as number);
      if (to % 2 === 1) found = Math.max(found, this.#tree[--to] as number);
    }
    return found;
  }

  /** The first index for which `isBehind` holds; it holds for all that follow. */
  #indexWhere(isBehind: (text: string) => boolean): number {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBehind((this.#rows[middle] as Row).text)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
