/** @module What the gets of a whole history tell in advance: values only grow until the next put, so a get shows what came before. */
import type { KeyValueCall } from './key-value-call.ts';
import type { Foresight } from './model.ts';
import { PrefixIndex } from './prefix-index.ts';
import type { PlacedOperation } from './placed-operation.ts';

type Placed = PlacedOperation<KeyValueCall>;

interface KnownGet {
  readonly operation: Placed;
  readonly value: string;
  /** The puts it may have seen last: it begins with their value, and they began before its end. */
  readonly puts: readonly Placed[];
}

/** The key of all states that no get will show any more, nor anything built on them. */
const LOST = 0;
/** Of the gets to come, those that are asked whether a state can lead to them. */
const GETS_AHEAD = 8;

export function foreseeKeyValue(operations: readonly Placed[]): Foresight<string, KeyValueCall> {
  const gets = knownGets(operations);
  const shown = new PrefixIndex(
    gets.map(({ value, operation }) => ({ text: value, number: operation.endAt })),
  );
  return {
    /** What is not shown by a get, behind just this state, may as well come later, or be lost under a put. */
    mayHelp(state, call, position) {
      if (call.kind === 'get') return false;
      return shown.largest(call.kind === 'put' ? call.value : state + call.value) >= position;
    },
    keyAt: (state, position) => (shown.largest(state) >= position ? state : LOST),
    isHopeless(state, position, isTaken) {
      const isToCome = (put: Placed): boolean =>
        put.end === undefined || (put.endAt >= position && !isTaken(put));
      let ahead = 0;
      for (let at = firstFrom(gets, position); at < gets.length && ahead < GETS_AHEAD; at += 1) {
        const { operation, value, puts } = gets[at] as KnownGet;
        if (isTaken(operation)) continue;
        ahead += 1;
        if (!value.startsWith(state) && !puts.some(isToCome)) return true;
      }
      return false;
    },
  };
}

/** By their ends, the earliest first. */
function knownGets(operations: readonly Placed[]): readonly KnownGet[] {
  const puts = operations.filter(({ call }) => call.kind === 'put');
  return operations
    .flatMap((operation): KnownGet[] => {
      const { kind, value } = operation.call;
      if (kind !== 'get' || operation.end === undefined || value === undefined) return [];
      const mayShow = ({ startAt, call }: Placed): boolean =>
        startAt < operation.endAt && value.startsWith(call.value ?? '');
      return [{ operation, value, puts: puts.filter(mayShow) }];
    })
    .toSorted((left, right) => left.operation.endAt - right.operation.endAt);
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
