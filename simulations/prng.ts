/** @module Seeded randomness: one seed is one run, bit for bit. */

const UINT32 = 0x1_0000_0000;
/** Of FNV-1a, 32 bits. */
const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** sfc32. Each concern forks its own stream, so that removing one kind of fault does not reshuffle the others. */
export class Prng {
  // Signed: an engine keeps 32 bits in place, and what needs 33 in an object of its own for each draw.
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `stream` names the concern, e.g. 'network'. */
  constructor(seed: number, stream: string) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / UINT32) | 0;
    this.#c = hashText(stream) | 0;
    const warmUpRounds = 12;
    for (let i = 0; i < warmUpRounds; i++) this.#next();
  }

  /** Uniform integer in [0, bound). */
  int(bound: number): number {
    return Math.floor((this.#next() / UINT32) * bound);
  }

  /** Uniform integer in [from, to], both included. */
  between(from: number, to: number): number {
    return from + this.int(to - from + 1);
  }

  /** True with `probability` in [0, 1]. */
  chance(probability: number): boolean {
    return this.#next() / UINT32 < probability;
  }

  /** Any of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.int(items.length)];
    if (item === undefined) throw new RangeError('Cannot pick from an empty list.');
    return item;
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}

/** FNV-1a over bytes, 32 bits; `from` continues an earlier hash. */
export function hashBytes(bytes: Uint8Array, from: number = OFFSET_BASIS): number {
  let hash = from;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), PRIME) >>> 0;
  return hash;
}

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/** As hashBytes, over the two halves of a double. */
export function hashNumber(value: number, from: number = OFFSET_BASIS): number {
  float[0] = value;
  const low = Math.imul(from ^ (words[0] ?? 0), PRIME);
  return Math.imul(low ^ (words[1] ?? 0), PRIME) >>> 0;
}

/** FNV-1a over UTF-16 code units, 32 bits; `from` continues an earlier hash. */
export function hashText(text: string, from: number = OFFSET_BASIS): number {
  let hash = from;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME) >>> 0;
  return hash;
}
