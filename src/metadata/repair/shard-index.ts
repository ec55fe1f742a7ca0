/** @module What a keeper asks of this node's part of the location index. */
import type { BlockHash } from '../../common/hashing.ts';

export interface ShardIndex {
  /** Whether everything that datanodes hold of this shard is known here: only then does not knowing a copy mean something. */
  isComplete(shard: number): boolean;
  /** The blocks of a shard that this node knows of, with the numbers of their datanodes. */
  blocks(shard: number): Iterable<{ readonly hash: BlockHash; readonly nodes: readonly number[] }>;
  /** Datanodes that hold each of `hashes`, in their order. */
  holders(hashes: readonly BlockHash[]): readonly (readonly number[])[];
}
