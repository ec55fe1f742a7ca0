/** @module What a keeper asks of this node's part of the location index. */
import type { BlockHash } from '../../common/hashing.ts';

export interface ShardIndex {
  /** Whether everything that datanodes hold of this shard is known here: only then does not knowing a copy mean something. */
  isComplete(shard: number): boolean;
  /** The blocks of a shard with the numbers of their datanodes; undefined when not everything of it is known here. */
  blocks(shard: number): Awaitable<Iterable<LocatedBlock> | undefined>;
  /** Datanodes that this node knows to hold each of `hashes`, in their order. */
  holders(hashes: readonly BlockHash[]): Awaitable<readonly (readonly number[])[]>;
}

export interface LocatedBlock {
  readonly hash: BlockHash;
  readonly nodes: readonly number[];
}

/** A promise where it has to be read from disk. */
type Awaitable<T> = T | Promise<T>;
