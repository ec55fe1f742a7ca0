/** @module Choices that one number decides: the same seed draws the same faults and the same work. */

/** Sebastiano Vigna's splitmix, in 32 bits; good enough to choose by, and for nothing secret. */
export class SeededChoice {
  #state: number;

  /** Streams of one seed and different names have nothing to do with each other. */
  constructor(seed: number, name: string) {
    let state = seed >>> 0;
    for (const character of name)
      state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
    this.#state = state;
  }

  /** In [0, 1). */
  fraction(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }

  /** A whole number in [low, high]. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  /** One of a list that is not empty. */
  pick<T>(from: readonly T[]): T {
    return from[this.between(0, from.length - 1)] as T;
  }
}
