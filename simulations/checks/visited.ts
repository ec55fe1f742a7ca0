/** @module Where the search has been: a place no better than one that was tried already is not tried again. */

/** A point of the search: everything before `at` is explained, and the operation that ends at `at` may still take effect. */
export interface Configuration<State> {
  /** Index of a moment. */
  readonly at: number;
  readonly state: State;
  /** Open operations that must still take effect before they end. */
  readonly owed: bigint;
  /** Open operations that may still take effect, and need not: something in their time has wiped out whatever they did. */
  readonly free: bigint;
  /** Kinds of those of unknown outcome that took effect, sorted, one entry for each. */
  readonly used: readonly number[];
}

/** Of the points of one place and state: the latest, and those that were better than others lately. */
const MOST_COMPARED = 100;

type Assets = Pick<Configuration<unknown>, 'owed' | 'free' | 'used'>;

/** Lowe (2017): the memory of the search, one list for each place and state. */
export class Visited {
  readonly #places = new Map<number, Map<string | number, Assets[]>>();
  #size = 0;

  /** How many are kept. */
  get size(): number {
    return this.#size;
  }

  /** Says whether it was worth keeping: false when a point at least as good was here before. */
  add(at: number, stateKey: string | number, assets: Assets): boolean {
    let states = this.#places.get(at);
    if (states === undefined) this.#places.set(at, (states = new Map()));
    const known = states.get(stateKey);
    if (known === undefined) {
      states.set(stateKey, [assets]);
    } else {
      if (isWorse(known, assets)) return false;
      known.push(assets);
    }
    this.#size += 1;
    return true;
  }
}

/** Says whether one of `known` is at least as good, and moves it forward: it will be so again. */
function isWorse(known: Assets[], assets: Assets): boolean {
  const last = Math.max(0, known.length - MOST_COMPARED);
  for (let at = known.length - 1; at >= last; at -= 1) {
    const other = known[at] as Assets;
    if (!isAtLeastAsGood(other, assets)) continue;
    known.splice(at, 1);
    known.push(other);
    return true;
  }
  return false;
}

/**
 * Whatever can follow `right` can follow `left`, at one place and in one state: to have a free operation is better than
 * to have done it or to owe it, and to have used fewer of those that may or may not have happened is better than more.
 */
function isAtLeastAsGood(left: Assets, right: Assets): boolean {
  const isFreeOfDebt = (left.owed & ~right.owed) === 0n;
  const hasEverything = ((right.owed | right.free) & ~(left.owed | left.free)) === 0n;
  return isFreeOfDebt && hasEverything && isPartOf(left.used, right.used);
}

/** Both sorted. */
function isPartOf(part: readonly number[], whole: readonly number[]): boolean {
  if (part.length > whole.length) return false;
  let from = 0;
  for (const kind of part) {
    while (from < whole.length && (whole[from] as number) < kind) from += 1;
    if (whole[from] !== kind) return false;
    from += 1;
  }
  return true;
}
