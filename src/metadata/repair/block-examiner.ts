/** @module Looks at blocks: how many copies each has now, and whether that is enough. What is not goes to the blocks at risk. */
import type { BlockHash } from '../../common/hashing.ts';
import type { Clock } from '../../common/clock.ts';
import type { WantedBlock } from '../../namespace/reads.ts';
import type { BadCopies } from '../bad-copies.ts';
import type { DatanodeStates } from '../datanode-states.ts';
import type { AtRiskBlock, AtRiskBlocks } from './at-risk-blocks.ts';
import { copiesLeft, takeCensus, type Copies } from './copy-census.ts';
import type { ShardIndex } from './shard-index.ts';

export interface BlockExaminerComponents {
  readonly states: DatanodeStates;
  readonly badCopies: BadCopies;
  readonly index: ShardIndex;
  readonly atRisk: AtRiskBlocks;
  readonly clock: Clock;
}

export interface ExaminedBlock extends WantedBlock, Copies {}

/** A block that was short by itself may be just being written: its other copies come within seconds, in milliseconds. */
export const PATIENCE_MS = 3_000;

export class BlockExaminer {
  readonly #components: BlockExaminerComponents;

  constructor(components: BlockExaminerComponents) {
    this.#components = components;
  }

  /** Those of `blocks` that this node knows everything of, as they are now; they enter or leave the blocks at risk. */
  async examine(blocks: readonly WantedBlock[], patienceMs: number): Promise<readonly ExaminedBlock[]> {
    const holders = await this.#components.index.holders(blocks.map(({ hash }) => hash));
    const examined = blocks.map((block, position) => ({
      ...block,
      ...this.census(block.hash, holders[position]),
    }));
    for (const block of examined) this.#note(block, patienceMs);
    return examined;
  }

  census(hash: BlockHash, nodes: readonly number[] = []): Copies {
    const { states, badCopies } = this.#components;
    const view = {
      isLive: (node: number) => states.isLive(node),
      isCounted: (node: number) => states.isCounted(node),
      isBad: (block: string, node: number) => badCopies.isBad(block, node),
    };
    return takeCensus(view, hash, nodes);
  }

  #note(block: ExaminedBlock, patienceMs: number): void {
    const { atRisk, clock } = this.#components;
    const { hash, sizeBytes, copies: wanted, good } = block;
    if (good.length >= wanted) return atRisk.remove(hash);
    const before = atRisk.get(hash);
    const nowMs = clock.monotonicMs();
    const next: AtRiskBlock = {
      hash,
      sizeBytes,
      wanted,
      left: copiesLeft(block),
      counted: good.length,
      leaving: block.leaving,
      readyMs: Math.min(before?.readyMs ?? Number.POSITIVE_INFINITY, nowMs + patienceMs),
      stuck: before?.stuck,
    };
    atRisk.put(next);
  }
}
