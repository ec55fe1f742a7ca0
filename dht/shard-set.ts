/** @module A set of shards: which are ours, which are whole; a bitmap on the wire. */
import { badBatch } from './errors.ts';
import { SHARD_COUNT } from './shard.ts';

export const BITMAP_SIZE_BYTES: number = SHARD_COUNT / 8;

export class ShardSet implements Iterable<number> {
  readonly #bits = new Uint8Array(SHARD_COUNT);
  #size = 0;

  constructor(shards: Iterable<number> = []) {
    for (const shard of shards) this.add(shard);
  }

  /** Throws DHT_BAD_BATCH when `bitmap` has another size than 512 bytes. */
  static decode(bitmap: Uint8Array): ShardSet {
    if (bitmap.byteLength !== BITMAP_SIZE_BYTES)
      throw badBatch(`${bitmap.byteLength} bytes are no bitmap of ${SHARD_COUNT} shards`, {
        sizeBytes: bitmap.byteLength,
      });
    const set = new ShardSet();
    for (let shard = 0; shard < SHARD_COUNT; shard++)
      if (((bitmap[shard >> 3] ?? 0) & (1 << (shard & 7))) !== 0) set.add(shard);
    return set;
  }

  encode(): Uint8Array {
    const bitmap = new Uint8Array(BITMAP_SIZE_BYTES);
    for (const shard of this) bitmap[shard >> 3] = (bitmap[shard >> 3] ?? 0) | (1 << (shard & 7));
    return bitmap;
  }

  get size(): number {
    return this.#size;
  }

  has(shard: number): boolean {
    return this.#bits[shard] === 1;
  }

  /** False when it was in. */
  add(shard: number): boolean {
    if (this.#bits[shard] !== 0) return false;
    this.#bits[shard] = 1;
    this.#size++;
    return true;
  }

  delete(shard: number): void {
    if (this.#bits[shard] !== 1) return;
    this.#bits[shard] = 0;
    this.#size--;
  }

  clear(): void {
    this.#bits.fill(0);
    this.#size = 0;
  }

  /** Adds all of `other`. */
  addAll(other: ShardSet): void {
    let size = 0;
    for (let shard = 0; shard < SHARD_COUNT; shard++)
      size += this.#bits[shard] = (this.#bits[shard] ?? 0) | (other.#bits[shard] ?? 0);
    this.#size = size;
  }

  /** Those that are not in `other`, in rising order. */
  without(other: ShardSet): number[] {
    const shards: number[] = [];
    for (let shard = 0; shard < SHARD_COUNT; shard++)
      if (this.#bits[shard] === 1 && other.#bits[shard] !== 1) shards.push(shard);
    return shards;
  }

  /** In rising order, as of now: what is added while they are looked at is not among them. */
  [Symbol.iterator](): ArrayIterator<number> {
    return this.without(NO_SHARDS).values();
  }
}

const NO_SHARDS = new ShardSet();
