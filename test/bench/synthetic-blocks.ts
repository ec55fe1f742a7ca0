/** @module What a datanode would hold: hashes by their leading digits, and no bytes behind them. */
import { CombinedHashes } from '../../src/storage/combined-hashes.ts';
import type { BlockHash, HeldBlocks } from '../../dht/ports.ts';
import { SHARD_DIGITS } from '../../dht/hash-prefix.ts';

export class SyntheticBlocks implements HeldBlocks {
  readonly #shards = new Map<string, BlockHash[]>();
  readonly #combined = new Map<string, CombinedHashes>();
  #size = 0;

  constructor(hashes: Iterable<BlockHash>) {
    for (const hash of hashes) {
      const prefix = hash.slice(0, SHARD_DIGITS);
      const shard = this.#shards.get(prefix) ?? [];
      shard.push(hash);
      this.#shards.set(prefix, shard);
      const combined = this.#combined.get(prefix) ?? new CombinedHashes();
      combined.add(hash);
      this.#combined.set(prefix, combined);
      this.#size++;
    }
  }

  combined(prefix: string): CombinedHashes {
    return this.#combined.get(prefix) ?? new CombinedHashes();
  }

  get size(): number {
    return this.#size;
  }

  below(prefix: string): readonly BlockHash[] {
    const shard = this.#shards.get(prefix.slice(0, SHARD_DIGITS)) ?? [];
    return prefix.length === SHARD_DIGITS ? shard : shard.filter((hash) => hash.startsWith(prefix));
  }
}
