/** @module A process's randomness, from the seed. */
import type { Random } from '../../src/common/random.ts';
import { Prng } from '../prng.ts';

const BYTE_VALUES = 256;
/** Above this one draw of 32 bits cannot reach every value. */
const UINT32 = 0x1_0000_0000;

export class SeededRandom implements Random {
  readonly #prng: Prng;

  constructor(seed: number, stream: string) {
    this.#prng = new Prng(seed, stream);
  }

  int(bound: number): number {
    if (bound <= UINT32) return this.#prng.int(bound);
    const high = this.#prng.int(Math.ceil(bound / UINT32));
    return (high * UINT32 + this.#prng.int(UINT32)) % bound;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#prng.int(BYTE_VALUES));
  }
}
