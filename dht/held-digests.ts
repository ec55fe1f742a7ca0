/** @module The digests of what a datanode holds, computed from its store and kept until something in the shard changes. */
import { prefixOfShard } from './hash-prefix.ts';
import { packHashes } from './packed-hashes.ts';
import { pause } from './pause.ts';
import type { Clock, HeldBlocks } from './ports.ts';
import { HASH_SIZE_BYTES } from './shard.ts';
import { ShardDigests } from './shard-digests.ts';
import { ShardSet } from './shard-set.ts';

/** Others get their turn after so many hashes. */
export const HASHES_PER_TURN = 8_192;
/** What changed meanwhile is computed at once when it is no more than this. */
export const MAX_SHARDS_AT_ONCE = 64;

export interface HeldDigestsComponents {
  readonly held: HeldBlocks;
  readonly clock: Clock;
}

export class HeldDigests {
  readonly #components: HeldDigestsComponents;
  readonly #signal: AbortSignal;
  readonly #digests = new ShardDigests();
  readonly #changed = ShardSet.all();
  #refreshing: Promise<void> | undefined;

  /** Work under way ends with `signal`. */
  constructor(components: HeldDigestsComponents, options: { readonly signal: AbortSignal }) {
    this.#components = components;
    this.#signal = options.signal;
  }

  /** Something in `shard` was added or removed. */
  changed(shard: number): void {
    this.#changed.add(shard);
  }

  /** Computes what changed, in turns; a call while it is under way waits for the same end. Rejects with the signal's reason. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#computeChanged().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  /** The digests as of now; undefined when too much changed since refresh(). */
  current(): ShardDigests | undefined {
    if (this.#changed.size > MAX_SHARDS_AT_ONCE) return undefined;
    for (const shard of this.#changed) this.#compute(shard);
    return this.#digests;
  }

  async #computeChanged(): Promise<void> {
    let hashes = 0;
    for (const shard of this.#changed) {
      hashes += this.#compute(shard);
      if (hashes < HASHES_PER_TURN) continue;
      hashes = 0;
      await pause(this.#components.clock, 0, this.#signal);
    }
  }

  #compute(shard: number): number {
    const hashes = this.#components.held.below(prefixOfShard(shard));
    this.#changed.delete(shard);
    this.#digests.clear(shard);
    if (hashes.length === 0) return 0;
    const packed = packHashes(hashes);
    const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
    for (let offset = 0; offset < packed.byteLength; offset += HASH_SIZE_BYTES)
      this.#digests.add(shard, view, offset);
    return hashes.length;
  }
}
