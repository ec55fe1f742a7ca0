/** @module Tells the other metadata nodes what this one, as keeper, knows and does. */
import type { WorkerRunner } from '../../common/worker-runner.ts';
import { serve } from '../../network/method.ts';
import type { Network } from '../../network/network.ts';
import type { CopiesLeft, Departure, KeeperReport, Stuck } from '../../protocol/messages.ts';
import { KEEPER_REPORT } from '../../protocol/methods.ts';
import type { RaftDriver } from '../raft-driver.ts';
import type { AtRiskBlock, AtRiskBlocks } from './at-risk-blocks.ts';
import type { BlockSurvey } from './block-survey.ts';
import type { CopyRunner } from './copy-runner.ts';
import type { KeeperView } from './keeper-view.ts';
import type { ShardIndex } from './shard-index.ts';

export interface KeeperServiceComponents {
  readonly network: Network;
  readonly driver: RaftDriver;
  readonly keeper: KeeperView;
  readonly index: Pick<ShardIndex, 'isComplete'>;
  readonly blockSurvey: BlockSurvey;
  readonly atRisk: AtRiskBlocks;
  readonly copies: CopyRunner;
}

export class KeeperService {
  readonly #components: KeeperServiceComponents;
  readonly #workers: () => ReturnType<WorkerRunner['standings']>;

  constructor(
    components: KeeperServiceComponents,
    options: { readonly workers: () => ReturnType<WorkerRunner['standings']> },
  ) {
    this.#components = components;
    this.#workers = options.workers;
  }

  start(): void {
    serve(this.#components.network, KEEPER_REPORT, async () => this.report());
  }

  report(): KeeperReport {
    const { driver, keeper, blockSurvey, copies, index } = this.#components;
    const { result } = blockSurvey;
    const shards = keeper.shards();
    return {
      node: driver.id,
      shards: shards.size,
      unknownShards: [...shards].filter((shard) => !index.isComplete(shard)).length,
      complete: result !== undefined,
      walkedVersion: result?.membersVersion ?? 0,
      sole: result?.tally.sole() ?? [],
      needed: result?.tally.needed() ?? [],
      ...this.#atRisk(),
      ...copies.figures(),
      workers: this.#workers().map(({ name, state }) => ({ name, state })),
    };
  }

  /** What only leaves a datanode that is being emptied is at no risk. */
  #atRisk(): { left: CopiesLeft[]; stuck: Stuck[]; departures: Departure[] } {
    const left = new Map<number, CopiesLeft>();
    const stuck: Stuck[] = [];
    const departures = new Map<number, Departure>();
    for (const block of this.#components.atRisk.inOrderOfDanger()) {
      addStuck(stuck, block);
      for (const node of block.leaving) {
        const departure = departures.get(node) ?? { node, blocks: 0, bytes: 0, stuck: [] };
        addStuck(departure.stuck, block);
        const { blocks, bytes } = departure;
        departures.set(node, { ...departure, blocks: blocks + 1, bytes: bytes + block.sizeBytes });
      }
      if (block.left >= block.wanted) continue;
      const { blocks, missingBytes } = left.get(block.left) ?? { blocks: 0, missingBytes: 0 };
      const bytes = missingBytes + block.sizeBytes * (block.wanted - block.left);
      left.set(block.left, { copies: block.left, blocks: blocks + 1, missingBytes: bytes });
    }
    return {
      left: [...left.values()].toSorted((a, b) => a.copies - b.copies),
      stuck,
      departures: [...departures.values()],
    };
  }
}

function addStuck(sums: Stuck[], { stuck: reason, sizeBytes }: AtRiskBlock): void {
  if (reason === undefined) return;
  const sum = sums.find((each) => each.reason === reason);
  if (sum === undefined) sums.push({ reason, blocks: 1, bytes: sizeBytes });
  else {
    sum.blocks += 1;
    sum.bytes += sizeBytes;
  }
}
