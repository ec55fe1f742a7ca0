/**
 * @module What only one datanode has, as it is now: asked of every keeper before the datanode is taken out. A walk may have
 * begun before the block was written.
 */
import { SHARD_COUNT } from '../../../dht/shard.ts';
import { type Clock, sleep } from '../../common/clock.ts';
import { describeError } from '../../common/errors.ts';
import type { BlockHash } from '../../common/hashing.ts';
import type { Logger } from '../../common/logger.ts';
import type { StateMachine } from '../../namespace/state-machine.ts';
import { call, serve } from '../../network/method.ts';
import type { Network } from '../../network/network.ts';
import type { SoleCopiesResponse } from '../../protocol/messages.ts';
import { SOLE_COPIES } from '../../protocol/methods.ts';
import type { MemberDirectory } from '../member-directory.ts';
import type { ReadBarrier } from '../read-barrier.ts';
import type { BlockExaminer } from './block-examiner.ts';
import { copiesLeft } from './copy-census.ts';
import type { KeeperView } from './keeper-view.ts';
import type { ShardIndex } from './shard-index.ts';

export interface SoleSearchComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly barrier: ReadBarrier;
  readonly keeper: KeeperView;
  readonly index: ShardIndex;
  readonly examiner: BlockExaminer;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SoleFindings {
  /** Whose only readable copy is on the datanode, that a file refers to. */
  readonly blocks: number;
  readonly bytes: number;
  /** False when keepers of some shards did not answer, or do not know everything of them. */
  readonly isComplete: boolean;
}

/** Blocks asked of the namespace at once. */
const PAGE_BLOCKS = 512;
/** Blocks looked at between two pauses for others, give or take a shard. */
const BLOCKS_AT_ONCE = 8_192;
const ASK_TIMEOUT_MS = 5_000;

export class SoleSearch {
  readonly #components: SoleSearchComponents;

  constructor(components: SoleSearchComponents) {
    this.#components = components;
  }

  start(): void {
    serve(this.#components.network, SOLE_COPIES, async ({ node }, { signal }) => {
      // What was committed when the question was asked is to be known here, too.
      await this.#components.barrier.wait(signal);
      return this.here(node, signal);
    });
  }

  /** Asks all keepers. Who does not answer in time makes it incomplete. */
  async ask(node: number, signal: AbortSignal): Promise<SoleFindings> {
    const { network, members, logger } = this.#components;
    const others = members.withRole('meta').filter(({ peer }) => peer !== network.localPeer);
    const answers = await Promise.all([
      this.here(node, signal),
      ...others.map(({ number, peer }) =>
        call(network, peer, SOLE_COPIES, { node }, { signal, timeoutMs: ASK_TIMEOUT_MS }).catch(
          (error: unknown) => {
            logger.debug('repair.sole-copies-unknown', { node: number, error: describeError(error) });
            return { shards: 0, blocks: 0, bytes: 0 };
          },
        ),
      ),
    ]);
    const sum = (pick: (answer: SoleCopiesResponse) => number): number =>
      answers.reduce((total, answer) => total + pick(answer), 0);
    return {
      blocks: sum(({ blocks }) => blocks),
      bytes: sum(({ bytes }) => bytes),
      isComplete: sum(({ shards }) => shards) >= SHARD_COUNT,
    };
  }

  /** Of the shards that this node keeps; `shards` are those that it knows everything of. */
  async here(node: number, signal: AbortSignal): Promise<SoleCopiesResponse> {
    const { keeper, index, clock } = this.#components;
    const found = { shards: 0, blocks: 0, bytes: 0 };
    let page: BlockHash[] = [];
    let looked = 0;
    for (const shard of keeper.shards()) {
      const blocks = await index.blocks(shard);
      if (blocks === undefined) continue;
      found.shards += 1;
      for (const { hash, nodes } of blocks) {
        looked += 1;
        if (this.#isOnlyOn(node, hash, nodes)) page.push(hash);
      }
      if (looked >= BLOCKS_AT_ONCE) {
        await sleep(clock, 0, signal);
        looked = 0;
      }
      if (page.length < PAGE_BLOCKS) continue;
      await this.#count(page, found);
      page = [];
    }
    await this.#count(page, found);
    return found;
  }

  #isOnlyOn(node: number, hash: BlockHash, nodes: readonly number[]): boolean {
    if (!nodes.includes(node)) return false;
    const census = this.#components.examiner.census(hash, nodes);
    return copiesLeft(census) === 1 && [...census.good, ...census.leaving].includes(node);
  }

  async #count(hashes: readonly BlockHash[], found: { blocks: number; bytes: number }): Promise<void> {
    for (let first = 0; first < hashes.length; first += PAGE_BLOCKS)
      for (const { sizeBytes } of await this.#components.machine.wantedBlocks(
        hashes.slice(first, first + PAGE_BLOCKS),
      )) {
        found.blocks += 1;
        found.bytes += sizeBytes;
      }
  }
}
