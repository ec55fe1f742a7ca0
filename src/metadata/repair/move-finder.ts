/** @module Finds blocks to move from one datanode to another, among those that this keeper decides for. */
import { SHARD_COUNT } from '../../../dht/shard.ts';
import type { BlockHash } from '../../common/hashing.ts';
import type { WantedBlock } from '../../namespace/reads.ts';
import type { StateMachine } from '../../namespace/state-machine.ts';
import type { DatanodeRegistry } from '../datanode-registry.ts';
import type { MemberDirectory } from '../member-directory.ts';
import type { Transfer } from './balance-planner.ts';
import type { BlockExaminer } from './block-examiner.ts';
import type { CopyRunner } from './copy-runner.ts';
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
  readonly moves: Pick<CopyRunner, 'hasFailed'>;
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
/** Of those it considers, as many are looked up at once: mostly the first few are enough. */
const PAGE_BLOCKS = 256;

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
    const { machine, moves: copies } = this.#components;
    const hashes = (await this.#someBlocksOn(source, target)).filter(
      (hash) => !taken.has(hash) && !copies.hasFailed(hash, source) && !copies.hasFailed(hash, target),
    );
    const moves: Move[] = [];
    let leftBytes = bytes;
    for (let from = 0; from < hashes.length && moves.length < limit; from += PAGE_BLOCKS)
      for (const block of await machine.wantedBlocks(hashes.slice(from, from + PAGE_BLOCKS))) {
        const { hash, sizeBytes } = block;
        if (sizeBytes > leftBytes || moves.length >= limit) continue;
        if (!(await this.#mayMove(block, source, target))) continue;
        moves.push({ hash, sizeBytes, source, target });
        leftBytes -= sizeBytes;
      }
    return moves;
  }

  /** As far as is known now: it has all its copies, and they would stand as far apart as they do. */
  async #mayMove({ hash, copies }: WantedBlock, source: number, target: number): Promise<boolean> {
    const { index, examiner } = this.#components;
    const place = placesOf(this.#components);
    const [nodes] = await index.holders([hash]);
    const { good } = examiner.census(hash, nodes);
    const others = good.filter((node) => node !== source).map(place);
    return (
      good.length === copies && good.includes(source) && keepsSpread(place(source), place(target), others)
    );
  }

  /** From where the last search ended: not the same blocks to and fro. */
  async #someBlocksOn(source: number, target: number): Promise<BlockHash[]> {
    const { index, keeper } = this.#components;
    const shards = keeper.shards();
    const found: BlockHash[] = [];
    let looked = 0;
    for (let step = 0; step < SHARD_COUNT; step += 1) {
      if (found.length >= MAX_CONSIDERED || looked >= MAX_LOOKED_AT) break;
      const shard = (this.#nextShard = (this.#nextShard + 1) % SHARD_COUNT);
      if (!shards.has(shard)) continue;
      for (const { hash, nodes } of (await index.blocks(shard)) ?? []) {
        looked += 1;
        if (nodes.includes(source) && !nodes.includes(target)) found.push(hash);
      }
    }
    return found;
  }
}
