/** @module The digests of what a datanode holds: of shards in which something changed, anew when they are asked for. */
import { prefixOfShard } from './hash-prefix.ts';
import type { HeldBlocks } from './ports.ts';
import { ShardDigests } from './shard-digests.ts';
import { ShardSet } from './shard-set.ts';

export interface HeldDigestsComponents {
  readonly held: HeldBlocks;
}

export class HeldDigests {
  readonly #components: HeldDigestsComponents;
  readonly #digests = new ShardDigests();
  readonly #changed = ShardSet.all();

  constructor(components: HeldDigestsComponents) {
    this.#components = components;
  }

  /** Something in `shard` was added or removed. */
  changed(shard: number): void {
    this.#changed.add(shard);
  }

  /** The digests as of now. */
  current(): ShardDigests {
    for (const shard of this.#changed) {
      const { count, hash } = this.#components.held.combined(prefixOfShard(shard));
      this.#digests.set(shard, count, new DataView(hash.buffer, hash.byteOffset, hash.byteLength));
    }
    this.#changed.clear();
    return this.#digests;
  }
}
