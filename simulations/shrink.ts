/** @module Delta debugging (Zeller and Hildebrandt, ddmin): the smallest part of a failing scenario that still fails. */

/** Tries at most; each is a whole run. */
const MAX_TRIALS = 200;

/** A part of `items` that `fails`, and of which no single chunk can be left out, as far as the trials go. */
export async function shrinkList<T>(
  items: readonly T[],
  fails: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let kept = items;
  let trials = 0;
  for (let chunks = 2; kept.length > 0 && trials < MAX_TRIALS; ) {
    const sizeOfChunk = Math.ceil(kept.length / chunks);
    let isSmaller = false;
    for (let from = 0; from < kept.length && trials < MAX_TRIALS; from += sizeOfChunk) {
      const rest = kept.toSpliced(from, sizeOfChunk);
      trials += 1;
      if (!(await fails(rest))) continue;
      kept = rest;
      isSmaller = true;
      break;
    }
    if (isSmaller) chunks = Math.max(2, chunks - 1);
    else if (sizeOfChunk === 1) break;
    else chunks = Math.min(kept.length, chunks * 2);
  }
  return kept;
}

/** The smallest of 1 to `most` that `fails`; `most` when none below does. */
export async function shrinkNumber(
  most: number,
  fails: (number: number) => Promise<boolean>,
): Promise<number> {
  for (let number = 1; number < most; number += 1) if (await fails(number)) return number;
  return most;
}
