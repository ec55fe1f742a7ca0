/** @module What one datanode holds, as twelve bytes a shard: two that agree on them agree on the blocks. */
import { createHash } from 'node:crypto';
import { SHARD_COUNT } from './shard.ts';
import type { ShardSet } from './shard-set.ts';

/** Of one shard: how many hashes, and eight bytes of each of them combined by exclusive or. */
export const DIGEST_SIZE_BYTES = 12;
/** Of many shards together. */
export const ROOT_SIZE_BYTES = 8;

const WORDS: number = DIGEST_SIZE_BYTES / 4;
/** The words of a hash that a digest combines. Its first bytes are the same all over the shard. */
const FIRST_WORD_AT = 8;
const SECOND_WORD_AT = 12;

/** How many hashes the digest at byte `offset` is of. */
export function countOf(digests: DataView, offset: number): number {
  return digests.getUint32(offset, true);
}

/** A root, and as of when: which shards, and what in them. */
interface KnownRoot {
  readonly shardsRevision: number;
  readonly revision: number;
  readonly root: Uint8Array;
}

export class ShardDigests {
  readonly #words = new Uint32Array(SHARD_COUNT * WORDS);
  /** Grows with each change. */
  #revision = 0;
  /** For each set of shards, as each holder has one of its own. */
  readonly #roots = new WeakMap<ShardSet, KnownRoot>();

  /** Counts the packed hash at byte `offset` in. It must not be counted already. */
  add(shard: number, packed: DataView, offset: number): void {
    this.#combine(shard, packed, offset, 1);
  }

  /** Takes a hash out that was counted in. */
  remove(shard: number, packed: DataView, offset: number): void {
    this.#combine(shard, packed, offset, -1);
  }

  /** Those of a shard at once: how many there are, and their hashes combined by exclusive or. */
  set(shard: number, count: number, combined: DataView): void {
    this.clear(shard);
    this.#combine(shard, combined, 0, count);
  }

  clear(shard: number): void {
    this.#revision++;
    this.#words.fill(0, shard * WORDS, (shard + 1) * WORDS);
  }

  /** Hashes counted in this shard. */
  count(shard: number): number {
    return this.#words[shard * WORDS] ?? 0;
  }

  /** The digests of `shards` one after the other, little-endian. */
  encode(shards: ShardSet): Uint8Array {
    const bytes = new Uint8Array(shards.size * DIGEST_SIZE_BYTES);
    const view = new DataView(bytes.buffer);
    const words = this.#words;
    let at = 0;
    for (const shard of shards) {
      const from = shard * WORDS;
      const count = words[from] ?? 0;
      const first = words[from + 1] ?? 0;
      const second = words[from + 2] ?? 0;
      // Most shards of most datanodes are empty.
      if ((count | first | second) !== 0) {
        view.setUint32(at, count, true);
        view.setUint32(at + 4, first, true);
        view.setUint32(at + 8, second, true);
      }
      at += DIGEST_SIZE_BYTES;
    }
    return bytes;
  }

  /** Whether `shard` has the digest at byte `offset`. */
  equals(shard: number, digests: DataView, offset: number): boolean {
    for (let word = 0; word < WORDS; word++)
      if (this.#words[shard * WORDS + word] !== digests.getUint32(offset + word * 4, true)) return false;
    return true;
  }

  /** One short digest over all of `shards`. Asked for with every heartbeat: while nothing has changed it is remembered. */
  root(shards: ShardSet): Uint8Array {
    const known = this.#roots.get(shards);
    const { revision: shardsRevision } = shards;
    if (known?.shardsRevision === shardsRevision && known.revision === this.#revision) return known.root;
    const root = createHash('sha256').update(this.encode(shards)).digest().subarray(0, ROOT_SIZE_BYTES);
    this.#roots.set(shards, { shardsRevision, revision: this.#revision, root });
    return root;
  }

  #combine(shard: number, packed: DataView, offset: number, count: number): void {
    const at = shard * WORDS;
    const words = this.#words;
    this.#revision++;
    words[at] = (words[at] ?? 0) + count;
    words[at + 1] = (words[at + 1] ?? 0) ^ packed.getUint32(offset + FIRST_WORD_AT, true);
    words[at + 2] = (words[at + 2] ?? 0) ^ packed.getUint32(offset + SECOND_WORD_AT, true);
  }
}
