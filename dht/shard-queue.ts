/** @module Shards, or parts of them, that a holder wants whole, in the order it wants them. */
import { partsOf, prefixOfShard, shardOfPrefix } from './hash-prefix.ts';
import type { BlockHash, HeldBlocks } from './ports.ts';

export interface WholeParts {
  readonly prefixes: readonly string[];
  /** Everything that is held below them. */
  readonly hashes: readonly BlockHash[];
}

export class ShardQueue {
  #prefixes = new Set<string>();

  get size(): number {
    return this.#prefixes.size;
  }

  put(shards: Iterable<number>): void {
    for (const shard of shards) this.#prefixes.add(prefixOfShard(shard));
  }

  /** The first prefixes whose blocks, as of now, are at most `limit` together; what is too large alone goes in parts. */
  take(held: HeldBlocks, limit: number): WholeParts {
    const prefixes: string[] = [];
    const hashes: BlockHash[] = [];
    for (const prefix of this.#prefixes) {
      const below = held.below(prefix);
      if (hashes.length + below.length > limit) {
        if (prefixes.length > 0) break;
        this.#cut(prefix);
        return this.take(held, limit);
      }
      this.#prefixes.delete(prefix);
      prefixes.push(prefix);
      hashes.push(...below);
    }
    return { prefixes, hashes };
  }

  /** Back to the front. */
  putBack({ prefixes }: WholeParts): void {
    this.#prefixes = new Set([...prefixes, ...this.#prefixes]);
  }

  /** The shards with something in the queue. */
  shards(): ReadonlySet<number> {
    return new Set([...this.#prefixes].map(shardOfPrefix));
  }

  clear(): void {
    this.#prefixes.clear();
  }

  #cut(prefix: string): void {
    const [, ...rest] = this.#prefixes;
    this.#prefixes = new Set([...partsOf(prefix), ...rest]);
  }
}
