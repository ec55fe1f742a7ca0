/** @module Which blocks a store holds, in memory: a hash table that can be read in order. */
import { assert } from '../common/errors.ts';
import type { BlockHash } from '../common/hashing.ts';
import type { BlockInfo } from './block-info.ts';
import { CombinedHashes } from './combined-hashes.ts';

/** Leading hex digits that choose a bucket: 4096 buckets, so that one is sorted in microseconds. */
const BUCKET_DIGITS = 3;
const BUCKET_COUNT = 16 ** BUCKET_DIGITS;
const NO_BLOCKS = new CombinedHashes();

interface Bucket {
  readonly sizes: Map<BlockHash, number>;
  readonly combined: CombinedHashes;
  /** Absent after a change, until somebody lists the bucket. */
  sorted?: readonly BlockHash[] | undefined;
}

export class BlockIndex {
  readonly #buckets: (Bucket | undefined)[] = Array.from({ length: BUCKET_COUNT });
  #count = 0;
  #totalBytes = 0;

  get count(): number {
    return this.#count;
  }

  /** Sum of the sizes of all blocks. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Size in bytes, or undefined when the block is not here. */
  sizeOf(hash: BlockHash): number | undefined {
    return this.#buckets[bucketOf(hash)]?.sizes.get(hash);
  }

  /** False when it was here already. */
  add(hash: BlockHash, sizeBytes: number): boolean {
    const at = bucketOf(hash);
    const bucket: Bucket = (this.#buckets[at] ??= { sizes: new Map(), combined: new CombinedHashes() });
    if (bucket.sizes.has(hash)) return false;
    bucket.sizes.set(hash, sizeBytes);
    bucket.combined.add(hash);
    bucket.sorted = undefined;
    this.#count += 1;
    this.#totalBytes += sizeBytes;
    return true;
  }

  /** False when it was not here. */
  delete(hash: BlockHash): boolean {
    const bucket = this.#buckets[bucketOf(hash)];
    const sizeBytes = bucket?.sizes.get(hash);
    if (bucket === undefined || sizeBytes === undefined) return false;
    bucket.sizes.delete(hash);
    bucket.combined.delete(hash);
    bucket.sorted = undefined;
    this.#count -= 1;
    this.#totalBytes -= sizeBytes;
    return true;
  }

  /** At most `limit` blocks in hash order, from `after` (exclusive) on. */
  list(after: BlockHash | undefined, limit: number): BlockInfo[] {
    const found: BlockInfo[] = [];
    for (let at = after === undefined ? 0 : bucketOf(after); at < BUCKET_COUNT; at += 1) {
      const bucket = this.#buckets[at];
      if (bucket === undefined) continue;
      for (const hash of sortedOf(bucket)) {
        if (found.length >= limit) return found;
        if (after === undefined || hash > after) found.push({ hash, sizeBytes: bucket.sizes.get(hash) ?? 0 });
      }
    }
    return found;
  }

  /** All hashes that begin with the hex digits `prefix`, in order. */
  below(prefix: string): BlockHash[] {
    const found: BlockHash[] = [];
    const last = bucketOf(prefix.padEnd(BUCKET_DIGITS, 'f'));
    for (let at = bucketOf(prefix.padEnd(BUCKET_DIGITS, '0')); at <= last; at += 1) {
      const bucket = this.#buckets[at];
      if (bucket === undefined) continue;
      for (const hash of sortedOf(bucket)) if (hash.startsWith(prefix)) found.push(hash);
    }
    return found;
  }

  /** Of all hashes that begin with these three hex digits. */
  combined(prefix: string): Pick<CombinedHashes, 'count' | 'hash'> {
    assert(prefix.length === BUCKET_DIGITS, `${prefix} has ${BUCKET_DIGITS} digits`);
    return this.#buckets[bucketOf(prefix)]?.combined ?? NO_BLOCKS;
  }
}

function sortedOf(bucket: Bucket): readonly BlockHash[] {
  return (bucket.sorted ??= [...bucket.sizes.keys()].toSorted());
}

function bucketOf(hash: BlockHash): number {
  return Number.parseInt(hash.slice(0, BUCKET_DIGITS), 16);
}
