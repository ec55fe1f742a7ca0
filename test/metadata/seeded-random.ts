/** @module Randomness of tests that want to see the same again. */
import type { Random } from '../../src/common/random.ts';

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
  return {
    int: (bound) => Math.floor((next() / 2 ** 32) * bound),
    bytes: (length) => Uint8Array.from({ length }, next),
  };
}
