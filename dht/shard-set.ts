/** @module A set of shards: which are ours, which are whole; a bitmap on the wire. */
import { badBatch } from './errors.ts';
import { SHARD_COUNT } from './shard.ts';

export const BITMAP_SIZE_BYTES: number = SHARD_COUNT / 8;

/** Looked at a word at a time, since most sets are nearly empty, or nearly the same as another. */
const WORD_BITS = 32;
const WORDS: number = SHARD_COUNT / WORD_BITS;
const WORD_BYTES: number = WORD_BITS / 8;

export class ShardSet implements Iterable<number> {
  readonly #words = new Int32Array(WORDS);
  #size = 0;
  #revision = 0;

  constructor(shards: Iterable<number> = []) {
    if (shards instanceof ShardSet) this.addAll(shards);
    else for (const shard of shards) this.add(shard);
  }

  /** Every shard there is. */
  static all(): ShardSet {
    const set = new ShardSet();
    for (let word = 0; word < WORDS; word++) set.#put(word, -1);
    return set;
  }

  /** Throws DHT_BAD_BATCH when `bitmap` has another size than 512 bytes. */
  static decode(bitmap: Uint8Array): ShardSet {
    if (bitmap.byteLength !== BITMAP_SIZE_BYTES)
      throw badBatch(`${bitmap.byteLength} bytes are no bitmap of ${SHARD_COUNT} shards`, {
        sizeBytes: bitmap.byteLength,
      });
    const set = new ShardSet();
    const view = new DataView(bitmap.buffer, bitmap.byteOffset, bitmap.byteLength);
    for (let word = 0; word < WORDS; word++) set.#put(word, view.getInt32(word * WORD_BYTES, true));
    return set;
  }

  encode(): Uint8Array {
    const bitmap = new Uint8Array(BITMAP_SIZE_BYTES);
    const view = new DataView(bitmap.buffer);
    for (let word = 0; word < WORDS; word++) view.setInt32(word * WORD_BYTES, this.#word(word), true);
    return bitmap;
  }

  get size(): number {
    return this.#size;
  }

  /** Grows with each change: of one set, equal revisions mean equal contents. */
  get revision(): number {
    return this.#revision;
  }

  has(shard: number): boolean {
    return ((this.#words[shard >>> 5] ?? 0) & (1 << (shard & 31))) !== 0;
  }

  /** False when it was in. */
  add(shard: number): boolean {
    if (this.has(shard)) return false;
    this.#put(shard >>> 5, this.#word(shard >>> 5) | (1 << (shard & 31)));
    return true;
  }

  delete(shard: number): void {
    if (this.has(shard)) this.#put(shard >>> 5, this.#word(shard >>> 5) & ~(1 << (shard & 31)));
  }

  clear(): void {
    this.#words.fill(0);
    this.#size = 0;
    this.#revision++;
  }

  /** Adds all of `other`. */
  addAll(other: ShardSet): void {
    for (let word = 0; word < WORDS; word++) this.#put(word, this.#word(word) | other.#word(word));
  }

  /** Leaves only what is in `other`, too. */
  keepAll(other: ShardSet): void {
    for (let word = 0; word < WORDS; word++) this.#put(word, this.#word(word) & other.#word(word));
  }

  deleteAll(other: ShardSet): void {
    for (let word = 0; word < WORDS; word++) this.#put(word, this.#word(word) & ~other.#word(word));
  }

  /** Those that are not in `other`, in rising order. */
  without(other: ShardSet): number[] {
    const shards: number[] = [];
    for (let word = 0; word < WORDS; word++) {
      let left = this.#word(word) & ~other.#word(word);
      while (left !== 0) {
        const lowest = left & -left;
        shards.push(word * WORD_BITS + 31 - Math.clz32(lowest));
        left ^= lowest;
      }
    }
    return shards;
  }

  /** In rising order, as of now: what is added while they are looked at is not among them. */
  [Symbol.iterator](): ArrayIterator<number> {
    return this.without(NO_SHARDS).values();
  }

  #word(place: number): number {
    return this.#words[place] ?? 0;
  }

  #put(place: number, bits: number): void {
    const before = this.#word(place);
    if (before === bits) return;
    this.#words[place] = bits;
    this.#size += countOnes(bits) - countOnes(before);
    this.#revision++;
  }
}

const NO_SHARDS = new ShardSet();

/** Of 32 bits (Hacker's Delight, 5-1). */
function countOnes(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
