/** @module What the gets of a whole history tell in advance: values only grow until the next put, so a get shows what came before. */
import type { KeyValueCall } from './key-value-call.ts';
import type { Foresight } from './model.ts';
import { PrefixIndex, type PrefixRange } from './prefix-index.ts';
import type { PlacedOperation } from './placed-operation.ts';

type Placed = PlacedOperation<KeyValueCall>;

interface KnownGet {
  readonly operation: Placed;
  readonly value: string;
}

/** The key of all states that no get will show any more, nor anything built on them. */
const LOST = 0;
/** Of the gets to come, those that are asked whether a state can lead to them. */
const GETS_AHEAD = 8;
/** Remembered at once: the search comes back to the same states. */
const MOST_RANGES = 100_000;

export function foreseeKeyValue(operations: readonly Placed[]): Foresight<string, KeyValueCall> {
  const gets = knownGets(operations);
  const puts = new PutsByValue(operations.filter(({ call }) => call.kind === 'put'));
  const shown = new PrefixIndex(
    gets.map(({ value, operation }) => ({ text: value, number: operation.endAt })),
  );
  const ranges = new Map<string, PrefixRange>();
  const rangeOf = (state: string): PrefixRange => {
    const known = ranges.get(state);
    if (known !== undefined) return known;
    const range = shown.range(state);
    if (ranges.size === MOST_RANGES) ranges.clear();
    ranges.set(state, range);
    return range;
  };
  return {
    /** What is not shown by a get, behind just this state, may as well come later, or be lost under a put. */
    mayHelp(state, call, position) {
      if (call.kind === 'get') return false;
      const range = call.kind === 'put' ? rangeOf(call.value) : shown.narrow(rangeOf(state), call.value);
      return shown.largest(range) >= position;
    },
    keyAt: (state, position) => (shown.largest(rangeOf(state)) >= position ? state : LOST),
    isHopeless(state, position, isTaken) {
      const isToCome = (put: Placed): boolean =>
        put.end === undefined || (put.endAt >= position && !isTaken(put));
      let ahead = 0;
      for (let at = firstFrom(gets, position); at < gets.length && ahead < GETS_AHEAD; at += 1) {
        const { operation, value } = gets[at] as KnownGet;
        if (isTaken(operation)) continue;
        ahead += 1;
        const mayShow = (put: Placed): boolean => put.startAt < operation.endAt && isToCome(put);
        if (!value.startsWith(state) && !puts.someOfPrefix(value, mayShow)) return true;
      }
      return false;
    },
  };
}

/** By their ends, the earliest first. */
function knownGets(operations: readonly Placed[]): readonly KnownGet[] {
  return operations
    .flatMap((operation): KnownGet[] => {
      const { kind, value } = operation.call;
      return kind === 'get' && operation.end !== undefined && value !== undefined
        ? [{ operation, value }]
        : [];
    })
    .toSorted((left, right) => left.operation.endAt - right.operation.endAt);
}

/** Puts that a get may have seen last: it shows their value, and what was appended to it. */
class PutsByValue {
  readonly #puts: ReadonlyMap<string, readonly Placed[]>;
  /** Of their values: few, however many puts there are. */
  readonly #lengths: readonly number[];

  constructor(puts: readonly Placed[]) {
    // The latest first: those that are still to come are found soon.
    const latestFirst = puts.toSorted((left, right) => right.endAt - left.endAt || 0);
    this.#puts = Map.groupBy(latestFirst, ({ call }) => call.value ?? '');
    this.#lengths = [...new Set([...this.#puts.keys()].map(({ length }) => length))];
  }

  someOfPrefix(text: string, test: (put: Placed) => boolean): boolean {
    return this.#lengths.some(
      (length) => length <= text.length && this.#puts.get(text.slice(0, length))?.some(test) === true,
    );
  }
}

/** Index of the first get that ends at `position` or later. */
function firstFrom(gets: readonly KnownGet[], position: number): number {
  let [low, high] = [0, gets.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((gets[middle] as KnownGet).operation.endAt < position) low = middle + 1;
    else high = middle;
  }
  return low;
}
