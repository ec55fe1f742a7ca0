/** @module Finds blocks to move from one datanode to another, among those that this keeper decides for. */
import { SHARD_COUNT } from '../../../dht/shard.ts';
import type { BlockHash } from '../../common/hashing.ts';
import type { StateMachine } from '../../namespace/state-machine.ts';
import type { DatanodeRegistry } from '../datanode-registry.ts';
import type { MemberDirectory } from '../member-directory.ts';
import type { Transfer } from './balance-planner.ts';
import type { BlockExaminer } from './block-examiner.ts';
import type { KeeperView } from './keeper-view.ts';
import { placesOf } from './node-places.ts';
import type { ShardIndex } from './shard-index.ts';
import { keepsSpread } from './spread.ts';

export interface MoveFinderComponents {
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly registry: DatanodeRegistry;
  readonly keeper: KeeperView;
  readonly index: ShardIndex;
  readonly examiner: BlockExaminer;
}

export interface Move {
  readonly hash: BlockHash;
  readonly sizeBytes: number;
  readonly source: number;
  readonly target: number;
}

/** Blocks on the source that one search considers. */
const MAX_CONSIDERED = 4_096;
/** Blocks it looks at for them, give or take a shard: among very many datanodes few are on the source. */
const MAX_LOOKED_AT = 16_384;

export class MoveFinder {
  readonly #components: MoveFinderComponents;
  #nextShard = 0;

  constructor(components: MoveFinderComponents) {
    this.#components = components;
  }

  /** Blocks on the source that may as well be on the target, up to the transfer's bytes and `limit` of them; none that are `taken`. */
  async find(
    { source, target, bytes }: Transfer,
    limit: number,
    taken: ReadonlySet<BlockHash>,
  ): Promise<readonly Move[]> {
    const { index, machine, examiner } = this.#components;
    const place = placesOf(this.#components);
    const hashes = this.#someBlocksOn(source, target);
    const moves: Move[] = [];
    let leftBytes = bytes;
    const holders = new Map(hashes.map((hash) => [hash, index.holders([hash])[0]]));
    for (const { hash, sizeBytes, copies } of await machine.wantedBlocks(hashes)) {
      if (sizeBytes > leftBytes || moves.length >= limit || taken.has(hash)) continue;
      const { good } = examiner.census(hash, holders.get(hash));
      const others = good.filter((node) => node !== source).map(place);
      if (
        good.length !== copies ||
        !good.includes(source) ||
        !keepsSpread(place(source), place(target), others)
      )
        continue;
      moves.push({ hash, sizeBytes, source, target });
      leftBytes -= sizeBytes;
    }
    return moves;
  }

  /** From where the last search ended: not the same blocks to and fro. */
  #someBlocksOn(source: number, target: number): BlockHash[] {
    const { index, keeper } = this.#components;
    const shards = keeper.shards();
    const found: BlockHash[] = [];
    let looked = 0;
    for (let step = 0; step < SHARD_COUNT; step += 1) {
      if (found.length >= MAX_CONSIDERED || looked >= MAX_LOOKED_AT) break;
      const shard = (this.#nextShard = (this.#nextShard + 1) % SHARD_COUNT);
      if (!shards.has(shard) || !index.isComplete(shard)) continue;
      for (const { hash, nodes } of index.blocks(shard)) {
        looked += 1;
        if (nodes.includes(source) && !nodes.includes(target)) found.push(hash);
      }
    }
    return found;
  }
}
