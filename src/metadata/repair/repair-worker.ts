/** @module The keeper's repair: copies that are missing are made again, the most endangered blocks first. */
import { shardOfHash } from '../../../dht/shard.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { Random } from '../../common/random.ts';
import type { BackgroundWorker, WorkState } from '../../common/worker.ts';
import type { StateMachine } from '../../namespace/state-machine.ts';
import type { BadCopies } from '../bad-copies.ts';
import type { DatanodeRegistry } from '../datanode-registry.ts';
import type { DatanodeStates } from '../datanode-states.ts';
import type { MemberDirectory } from '../member-directory.ts';
import type { PlacementPolicy } from '../placement.ts';
import type { ReadBarrier } from '../read-barrier.ts';
import type { AtRiskBlock, AtRiskBlocks } from './at-risk-blocks.ts';
import type { BlockExaminer } from './block-examiner.ts';
import { copiesLeft } from './copy-census.ts';
import type { CopyRunner } from './copy-runner.ts';
import type { KeeperView } from './keeper-view.ts';
import type { LossSearch } from './loss-search.ts';
import type { LostCopies } from './lost-copies.ts';
import { placesOf } from './node-places.ts';
import { type CopyOrder, type EndangeredBlock, planRepairs, type RepairLimits } from './repair-planner.ts';
import { type CopiesLeftRange, LAST_COPY, type RepairTurns } from './repair-turns.ts';
import type { ShardIndex } from './shard-index.ts';

export interface RepairWorkerComponents {
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly registry: DatanodeRegistry;
  readonly states: DatanodeStates;
  readonly barrier: ReadBarrier;
  readonly keeper: KeeperView;
  readonly index: ShardIndex;
  readonly atRisk: AtRiskBlocks;
  readonly examiner: BlockExaminer;
  readonly losses: LossSearch;
  readonly lostCopies: LostCopies;
  readonly badCopies: BadCopies;
  readonly copies: CopyRunner;
  readonly turns: RepairTurns;
  readonly placement: PlacementPolicy;
  readonly random: Random;
  readonly clock: Clock;
  readonly logger: Logger;
}

const IDLE_MS = 100;
/** Blocks planned for at once. */
const PLAN_BLOCKS = 256;
/** What could not be helped is tried again after this, so that others come to their turn. */
const STUCK_MS = 5_000;
/** Enough of the shard's holders have heard of a new copy; this one hears of it within this time, in milliseconds. */
const ANNOUNCEMENT_MS = 1_000;
/** How old what is acted upon may be, in milliseconds. */
const MAX_AGE_MS = 1_000;
/** What one datanode sends, and what one takes, at once on behalf of this keeper; datanodes have a bound of their own. */
const LIMITS: RepairLimits = { copies: 16, bytes: 24 * 1024 * 1024 };

export class RepairWorker implements BackgroundWorker {
  readonly name = 'repair';
  readonly isPausable = true;
  readonly idleMs: number = IDLE_MS;
  readonly #components: RepairWorkerComponents;
  /** Datanodes whose copies counted at the last look. */
  #counted: ReadonlySet<number> | undefined;
  #caughtUpMs = Number.NEGATIVE_INFINITY;

  constructor(components: RepairWorkerComponents) {
    this.#components = components;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const { losses, lostCopies, copies, atRisk } = this.#components;
    this.#noteLosses();
    if (atRisk.takeVacancy()) losses.again();
    await lostCopies.look();
    if (losses.isBusy) await losses.step();
    await this.#callOff();
    await this.#plan(signal);
    if (losses.isBusy || lostCopies.isBusy) return 'busy';
    if (copies.orders.length === 0) return 'idle';
    await copies.oneEnds(IDLE_MS, signal);
    return 'busy';
  }

  #noteLosses(): void {
    const { members, states, losses, keeper } = this.#components;
    const counted = new Set(
      members
        .withRole('data')
        .map(({ number }) => number)
        .filter((node) => states.isCounted(node)),
    );
    const lost = [...(this.#counted ?? [])].filter((node) => !counted.has(node));
    this.#counted = counted;
    if (lost.length > 0 && keeper.shards().size > 0) losses.begin(lost);
  }

  /** A datanode that comes back in time brings its copies with it. */
  async #callOff(): Promise<void> {
    const { copies, index } = this.#components;
    const hashes = copies.orders.map(({ hash }) => hash);
    const nodes = await index.holders(hashes);
    const holders = new Map(hashes.map((hash, at) => [hash, nodes[at]]));
    copies.callOff((order) => this.#isNeeded(order, holders.get(order.hash)));
  }

  #isNeeded({ hash, target }: CopyOrder, nodes: readonly number[] | undefined): boolean {
    const { examiner, atRisk, states } = this.#components;
    const block = atRisk.get(hash);
    if (block === undefined || states.liveness(target) === 'dead') return false;
    const { good } = examiner.census(hash, nodes);
    return good.includes(target) || good.length < block.wanted;
  }

  /** A node that is behind the others takes datanodes for dead that have come back, and files for there that are gone. */
  async #catchUp(signal: AbortSignal): Promise<void> {
    const { barrier, clock } = this.#components;
    if (clock.monotonicMs() - this.#caughtUpMs < MAX_AGE_MS) return;
    const beganMs = clock.monotonicMs();
    await barrier.wait(signal);
    this.#caughtUpMs = beganMs;
  }

  async #plan(signal: AbortSignal): Promise<void> {
    const { machine, examiner, atRisk, copies, turns, clock } = this.#components;
    const ready = this.#ready(clock.monotonicMs());
    if (ready.length === 0) return turns.rest();
    await this.#catchUp(signal);
    // As they are now: files are removed, datanodes come back.
    const wanted = await machine.wantedBlocks(ready.map(({ hash }) => hash));
    const stillWanted = new Set(wanted.map(({ hash }) => hash));
    for (const { hash } of ready) if (!stillWanted.has(hash)) atRisk.remove(hash);
    const arriving = Map.groupBy(copies.orders, ({ hash }) => hash);
    const examined = await examiner.examine(wanted, 0);
    const endangered = examined
      .filter(({ good, copies: count }) => good.length < count)
      .map((block): EndangeredBlock => {
        const { hash, sizeBytes, good, leaving, copies: count } = block;
        const onTheirWay = (arriving.get(hash) ?? []).map(({ target }) => target);
        return {
          hash,
          sizeBytes,
          good,
          leaving,
          wanted: count,
          arriving: onTheirWay,
          avoid: this.#failed(hash),
        };
      });
    const range = this.#copiesLeft(endangered);
    if (range === undefined) turns.rest();
    const limit = range === undefined ? 0 : turns.limit(range, signal);
    this.#carryOut(endangered.filter((block) => copiesLeft(block) <= limit));
  }

  /** Of the blocks that still have a copy; undefined when there are none. */
  #copiesLeft(blocks: readonly EndangeredBlock[]): CopiesLeftRange | undefined {
    const left = blocks.map(copiesLeft).filter((copies) => copies > 0);
    if (left.length === 0) return undefined;
    // What is still being looked for may be in the greatest danger of all.
    const fewest = this.#components.losses.isBusy ? LAST_COPY : Math.min(...left);
    return { fewest, most: Math.max(...left) };
  }

  #carryOut(blocks: readonly EndangeredBlock[]): void {
    const { states, copies, placement, random, registry, atRisk, clock } = this.#components;
    const state = {
      blocks,
      candidates: states.candidates(),
      place: placesOf(this.#components),
      sending: copies.work('source'),
      receiving: copies.work('target'),
    };
    const { orders, stuck } = planRepairs(state, LIMITS, placement, random);
    for (const order of orders) {
      registry.expect(order.target, order.sizeBytes);
      copies.start(
        order,
        () => this.#copied(order),
        () => this.#notCopied(order),
      );
      const known = atRisk.get(order.hash);
      // That the last copy failed is the news until one does not.
      if (known?.stuck !== undefined && known.stuck !== 'copy-failed')
        atRisk.put({ ...known, stuck: undefined });
    }
    for (const { block, reason } of stuck) {
      const known = atRisk.get(block.hash);
      if (known === undefined) continue;
      const readyMs = reason === 'busy' ? known.readyMs : clock.monotonicMs() + STUCK_MS;
      const stuckFor = reason === 'busy' && known.stuck === 'copy-failed' ? known.stuck : reason;
      atRisk.put({ ...known, readyMs, stuck: stuckFor });
    }
  }

  #notCopied({ hash }: CopyOrder): void {
    const { atRisk } = this.#components;
    const block = atRisk.get(hash);
    if (block !== undefined) atRisk.put({ ...block, stuck: 'copy-failed' });
  }

  /** The target has announced it; what this node itself has not heard yet it hears in a moment. */
  async #copied({ hash, target }: CopyOrder): Promise<void> {
    const { atRisk, badCopies, examiner, index, clock } = this.#components;
    // Else it would count as missing, and be made again and again, until the report of its predecessor is forgotten.
    badCopies.forgive(hash, target);
    if (atRisk.get(hash) === undefined) return;
    const [nodes] = await index.holders([hash]);
    const block = atRisk.get(hash);
    if (block === undefined) return;
    const { good } = examiner.census(hash, nodes);
    if (good.length >= block.wanted) return atRisk.remove(hash);
    const readyMs = good.includes(target) ? block.readyMs : clock.monotonicMs() + ANNOUNCEMENT_MS;
    atRisk.put({ ...block, readyMs, stuck: undefined });
  }

  #ready(nowMs: number): readonly AtRiskBlock[] {
    const { atRisk, keeper, index } = this.#components;
    // All of them are looked at for this: not while there is nothing to do, as when everybody has just started.
    let shards: ReturnType<typeof keeper.shards> | undefined;
    const ready: AtRiskBlock[] = [];
    const foreign: string[] = [];
    for (const block of atRisk.inOrderOfDanger()) {
      const shard = shardOfHash(block.hash);
      shards ??= keeper.shards();
      if (!shards.has(shard)) foreign.push(block.hash);
      else if (block.readyMs <= nowMs && index.isComplete(shard)) ready.push(block);
      if (ready.length >= PLAN_BLOCKS) break;
    }
    for (const hash of foreign) atRisk.remove(hash);
    return ready;
  }

  /** Datanodes that failed with this block a moment ago. */
  #failed(hash: string): readonly number[] {
    return [...(this.#counted ?? [])].filter((node) => this.#components.copies.hasFailed(hash, node));
  }
}
