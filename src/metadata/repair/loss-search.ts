/** @module Finds at once what a datanode held that died or is to leave: in the index in memory, before any walk comes by. */
import type { StateMachine } from '../../namespace/state-machine.ts';
import type { BlockExaminer } from './block-examiner.ts';
import type { KeeperView } from './keeper-view.ts';
import type { ShardIndex } from './shard-index.ts';

export interface LossSearchComponents {
  readonly machine: StateMachine;
  readonly keeper: KeeperView;
  readonly index: ShardIndex;
  readonly examiner: BlockExaminer;
}

/** Blocks looked at before others come to their turn, give or take a shard; and those asked of the namespace at once. */
const STEP_BLOCKS = 8_192;
const PAGE_BLOCKS = 512;

export class LossSearch {
  readonly #components: LossSearchComponents;
  /** Which lost nodes are still to be looked for in which shards. */
  #lost: readonly number[] = [];
  #shardsLeft: number[] = [];

  constructor(components: LossSearchComponents) {
    this.#components = components;
  }

  get isBusy(): boolean {
    return this.#shardsLeft.length > 0;
  }

  /** Begins again for all that are lost now: losses come together, when a rack or a room fails. */
  begin(nodes: readonly number[]): void {
    this.#lost = this.isBusy ? [...new Set([...this.#lost, ...nodes])] : nodes;
    this.#shardsLeft = [...this.#components.keeper.shards()];
  }

  /** For the nodes that were lost last: of what they held, not all was kept in mind. */
  again(): void {
    if (!this.isBusy && this.#lost.length > 0) this.#shardsLeft = [...this.#components.keeper.shards()];
  }

  async step(): Promise<void> {
    const { index, machine, examiner } = this.#components;
    const hashes: string[] = [];
    for (let looked = 0; looked < STEP_BLOCKS && hashes.length < PAGE_BLOCKS; ) {
      const shard = this.#shardsLeft.pop();
      if (shard === undefined) break;
      for (const { hash, nodes } of (await index.blocks(shard)) ?? []) {
        looked += 1;
        if (this.#lost.some((node) => nodes.includes(node))) hashes.push(hash);
      }
    }
    for (let at = 0; at < hashes.length; at += PAGE_BLOCKS)
      await examiner.examine(await machine.wantedBlocks(hashes.slice(at, at + PAGE_BLOCKS)), 0);
  }
}
