/** @module Of texts with a number each: the largest number among those that begin with some text. */

interface Row {
  readonly text: string;
  readonly number: number;
}

/** Rows [from, to), all with the same first `length` characters. */
export interface PrefixRange {
  readonly from: number;
  readonly to: number;
  readonly length: number;
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

  /** Those that begin with `prefix`. */
  range(prefix: string): PrefixRange {
    return this.narrow({ from: 0, to: this.#rows.length, length: 0 }, prefix);
  }

  /** Those of `range` that go on with `piece`. */
  narrow({ from, to, length }: PrefixRange, piece: string): PrefixRange {
    const longer = length + piece.length;
    const next = (at: number): string => (this.#rows[at] as Row).text.slice(length, longer);
    // Most often all that begin alike go on alike, or none goes on like this.
    const isAll = from < to && next(from) === piece && next(to - 1) === piece;
    if (isAll || from === to) return { from, to, length: longer };
    return {
      from: firstIndex(from, to, (at) => next(at) >= piece),
      to: firstIndex(from, to, (at) => next(at) > piece),
      length: longer,
    };
  }

  /** -1 where there is none. */
  largest(range: PrefixRange): number {
    let from = range.from + this.#rows.length;
    let to = range.to + this.#rows.length;
    let found = -1;
    for (; from < to; from >>= 1, to >>= 1) {
      if (from % 2 === 1) found = Math.max(found, this.#tree[from++] as number);
      if (to % 2 === 1) found = Math.max(found, this.#tree[--to] as number);
    }
    return found;
  }
}

/** The first index in [low, high) for which `isBehind` holds, as it does for all that follow; `high` where there is none. */
function firstIndex(low: number, high: number, isBehind: (at: number) => boolean): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBehind(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
