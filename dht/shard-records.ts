/** @module The records of one shard: a hash table with open addressing in two typed arrays, no object per block. */
import { HASH_SIZE_BYTES } from './shard.ts';

/** Holder number that stands for an empty place; real ones begin at 1. */
export const NO_HOLDER = 0;

const WORDS_PER_HASH: number = HASH_SIZE_BYTES / 4;
const FIRST_CAPACITY = 8;
/** The table grows by half when this full: between 57 and 85 of 100 slots are in use once it has grown. */
const MAX_LOAD = 0.85;
const GROWTH = 1.5;
const UINT32_RANGE: number = 2 ** 32;

/** Eight secret odd numbers; without them, nobody can choose hashes that fall into one slot. */
export type HashKey = Uint32Array;

/** 32 random bytes become the key. The same bytes give the same order of everything. */
export function hashKeyOf(secret: Uint8Array): HashKey {
  const key = new Uint32Array(WORDS_PER_HASH);
  secret.forEach((byte, at) => {
    const word = (at >> 2) % WORDS_PER_HASH;
    key[word] = ((key[word] ?? 0) << 8) | byte;
  });
  return key.map((word) => word | 1);
}

/** The records of one shard, wherever they are. Hashes are packed, and given by the byte they begin at. */
export interface Records {
  /** Blocks with at least one holder. */
  readonly size: number;
  /** Memory taken, in bytes. */
  readonly sizeBytes: number;
  /** False when `holder` was there already. */
  add(packed: DataView, offset: number, holder: number): boolean;
  /** False when `holder` was not there. */
  remove(packed: DataView, offset: number, holder: number): boolean;
  has(packed: DataView, offset: number, holder: number): boolean;
  /** Valid until the next change. */
  holdersOf(packed: DataView, offset: number): Uint16Array;
  /** Every block, in no particular order. What is given is valid during the call only; nothing may change meanwhile. */
  forEach(visit: (hash: Uint8Array, holders: Uint16Array) => void): void;
}

/**
 * Linear probing (Knuth, TAOCP 6.4, algorithms L and R). A slot is eight words of hash and `width` holders, filled from
 * the left; a block with more holders than that widens its shard.
 */
export class ShardRecords implements Records {
  readonly #key: HashKey;
  #capacity = FIRST_CAPACITY;
  #width = 1;
  #hashes: Uint32Array = new Uint32Array(FIRST_CAPACITY * WORDS_PER_HASH);
  #holders: Uint16Array = new Uint16Array(FIRST_CAPACITY);
  #blocks = 0;

  constructor(key: HashKey) {
    this.#key = key;
  }

  get size(): number {
    return this.#blocks;
  }

  get sizeBytes(): number {
    return this.#hashes.byteLength + this.#holders.byteLength;
  }

  add(packed: DataView, offset: number, holder: number): boolean {
    if (this.#blocks + 1 > this.#capacity * MAX_LOAD)
      this.#rebuild(Math.ceil(this.#capacity * GROWTH), this.#width);
    let slot = this.#find(packed, offset);
    const first = slot * this.#width;
    if (this.#holders[first] === NO_HOLDER) {
      for (let word = 0; word < WORDS_PER_HASH; word++)
        this.#hashes[slot * WORDS_PER_HASH + word] = packed.getUint32(offset + word * 4, true);
      this.#holders[first] = holder;
      this.#blocks++;
      return true;
    }
    let place = 0;
    for (; place < this.#width && this.#holders[first + place] !== NO_HOLDER; place++)
      if (this.#holders[first + place] === holder) return false;
    if (place === this.#width) {
      this.#rebuild(this.#capacity, this.#width + 1);
      slot = this.#find(packed, offset);
    }
    this.#holders[slot * this.#width + place] = holder;
    return true;
  }

  remove(packed: DataView, offset: number, holder: number): boolean {
    const slot = this.#find(packed, offset);
    const first = slot * this.#width;
    for (let place = 0; place < this.#width; place++) {
      if (this.#holders[first + place] !== holder) continue;
      this.#takeOut(first, place);
      if (this.#holders[first] === NO_HOLDER) this.#close(slot);
      return true;
    }
    return false;
  }

  has(packed: DataView, offset: number, holder: number): boolean {
    return this.holdersOf(packed, offset).includes(holder);
  }

  holdersOf(packed: DataView, offset: number): Uint16Array {
    return this.#holdersAt(this.#find(packed, offset));
  }

  forEach(visit: (hash: Uint8Array, holders: Uint16Array) => void): void {
    const bytes = new Uint8Array(this.#hashes.buffer);
    for (let slot = 0; slot < this.#capacity; slot++) {
      const holders = this.#holdersAt(slot);
      if (holders.length === 0) continue;
      visit(bytes.subarray(slot * HASH_SIZE_BYTES, (slot + 1) * HASH_SIZE_BYTES), holders);
    }
  }

  #holdersAt(slot: number): Uint16Array {
    const holders = this.#holders.subarray(slot * this.#width, (slot + 1) * this.#width);
    const end = holders.indexOf(NO_HOLDER);
    return end === -1 ? holders : holders.subarray(0, end);
  }

  /** The hash's slot, or the empty one where it belongs. */
  #find(packed: DataView, offset: number): number {
    let sum = 0;
    for (let word = 0; word < WORDS_PER_HASH; word++)
      sum = (sum + Math.imul(packed.getUint32(offset + word * 4, true), this.#key[word] ?? 1)) | 0;
    let slot = this.#home(sum >>> 0);
    while (this.#holders[slot * this.#width] !== NO_HOLDER && !this.#isAt(slot, packed, offset))
      slot = slot + 1 === this.#capacity ? 0 : slot + 1;
    return slot;
  }

  #home(sum: number): number {
    return Math.floor((sum / UINT32_RANGE) * this.#capacity);
  }

  #homeOf(slot: number): number {
    let sum = 0;
    for (let word = 0; word < WORDS_PER_HASH; word++)
      sum = (sum + Math.imul(this.#hashes[slot * WORDS_PER_HASH + word] ?? 0, this.#key[word] ?? 1)) | 0;
    return this.#home(sum >>> 0);
  }

  #isAt(slot: number, packed: DataView, offset: number): boolean {
    for (let word = WORDS_PER_HASH - 1; word >= 0; word--)
      if (this.#hashes[slot * WORDS_PER_HASH + word] !== packed.getUint32(offset + word * 4, true))
        return false;
    return true;
  }

  /** The last holder takes the place of the one that goes. */
  #takeOut(first: number, place: number): void {
    let last = place;
    while (last + 1 < this.#width && this.#holders[first + last + 1] !== NO_HOLDER) last++;
    this.#holders[first + place] = this.#holders[first + last] ?? NO_HOLDER;
    this.#holders[first + last] = NO_HOLDER;
  }

  /** Whoever was pushed past the slot that became empty moves back, so that probing still finds everybody. */
  #close(slot: number): void {
    this.#blocks--;
    let hole = slot;
    let next = hole;
    for (;;) {
      next = next + 1 === this.#capacity ? 0 : next + 1;
      if (this.#holders[next * this.#width] === NO_HOLDER) return;
      const home = this.#homeOf(next);
      const staysBehindHole = hole <= next ? hole < home && home <= next : hole < home || home <= next;
      if (staysBehindHole) continue;
      this.#move(next, hole);
      hole = next;
    }
  }

  #move(from: number, to: number): void {
    const { hashes, holders, width } = { hashes: this.#hashes, holders: this.#holders, width: this.#width };
    hashes.copyWithin(to * WORDS_PER_HASH, from * WORDS_PER_HASH, (from + 1) * WORDS_PER_HASH);
    holders.copyWithin(to * width, from * width, (from + 1) * width);
    holders.fill(NO_HOLDER, from * width, (from + 1) * width);
  }

  #rebuild(capacity: number, width: number): void {
    const before = {
      capacity: this.#capacity,
      width: this.#width,
      hashes: this.#hashes,
      holders: this.#holders,
    };
    const view = new DataView(before.hashes.buffer);
    this.#capacity = capacity;
    this.#width = width;
    this.#hashes = new Uint32Array(capacity * WORDS_PER_HASH);
    this.#holders = new Uint16Array(capacity * width);
    for (let from = 0; from < before.capacity; from++) {
      if (before.holders[from * before.width] === NO_HOLDER) continue;
      const slot = this.#find(view, from * HASH_SIZE_BYTES);
      const words = before.hashes.subarray(from * WORDS_PER_HASH, (from + 1) * WORDS_PER_HASH);
      this.#hashes.set(words, slot * WORDS_PER_HASH);
      this.#holders.set(
        before.holders.subarray(from * before.width, (from + 1) * before.width),
        slot * width,
      );
    }
  }
}
