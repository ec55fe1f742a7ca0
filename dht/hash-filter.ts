/** @module Says of most hashes that a set does not have that it does not: a Bloom filter (Bloom, 1970) over what is random already. */
import { HASH_SIZE_BYTES } from './shard.ts';

/** With four bits set for each hash, one in eighty that is not there passes. */
const BITS_PER_HASH = 10;
/** Where in a hash four numbers are taken from; its first bytes are the same all over a shard. */
const WORDS_AT = [4, 8, 12, 16];
const UINT32_RANGE: number = 2 ** 32;

export class HashFilter {
  readonly #bits: Uint8Array;

  /** `hashes`: packed, back to back. */
  constructor(hashes: Uint8Array) {
    const count = hashes.byteLength / HASH_SIZE_BYTES;
    this.#bits = new Uint8Array(Math.ceil((count * BITS_PER_HASH) / 8));
    const view = new DataView(hashes.buffer, hashes.byteOffset, hashes.byteLength);
    for (let offset = 0; offset < hashes.byteLength; offset += HASH_SIZE_BYTES)
      for (const at of WORDS_AT) {
        const bit = this.#bitOf(view, offset + at);
        this.#bits[bit >> 3] = (this.#bits[bit >> 3] ?? 0) | (1 << (bit & 7));
      }
  }

  get sizeBytes(): number {
    return this.#bits.byteLength;
  }

  /** True of each hash in the set, and of few others. */
  mayHave(packed: DataView, offset: number): boolean {
    for (const at of WORDS_AT) {
      const bit = this.#bitOf(packed, offset + at);
      if (((this.#bits[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  }

  #bitOf(packed: DataView, at: number): number {
    return Math.floor((packed.getUint32(at) / UINT32_RANGE) * this.#bits.byteLength * 8);
  }
}
