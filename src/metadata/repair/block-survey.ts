/** @module Walks over the blocks of the shards that this node keeps, a page a step, again and again. */
import { SHARD_COUNT, shardOfHash } from '../../../dht/shard.ts';
import type { Clock } from '../../common/clock.ts';
import type { BackgroundWorker, WorkState } from '../../common/worker.ts';
import type { StateMachine } from '../../namespace/state-machine.ts';
import { type BlockExaminer, type ExaminedBlock, PATIENCE_MS } from './block-examiner.ts';
import { beforeShard, type KeeperView } from './keeper-view.ts';
import { KeeperTally } from './keeper-tally.ts';
import type { ShardIndex } from './shard-index.ts';

export interface BlockSurveyComponents {
  readonly machine: StateMachine;
  readonly keeper: KeeperView;
  readonly index: ShardIndex;
  readonly examiner: BlockExaminer;
  /** Told of every block: of some there are copies too many, or too close to each other. */
  readonly balance: { look(block: ExaminedBlock): void };
  readonly clock: Clock;
}

/** Of the last walk that ended. */
export interface SurveyResult {
  readonly tally: KeeperTally;
  /** The shards it covered: those kept when it began. */
  readonly shards: ReadonlySet<number>;
  /** Version of the members when it began. */
  readonly membersVersion: number;
  /** How long it took, in milliseconds. */
  readonly tookMs: number;
}

const PAGE_BLOCKS = 256;
/** Pause between two walks, in milliseconds. */
const IDLE_MS = 5_000;
/** While the last walk is older than the last change of the members, or there was none. */
const NEWS_IDLE_MS = 500;
/**
 * The pause is at least so many times as long as the walk: in a large namespace a processor would do nothing else. Losses
 * are found without it (loss-search.ts, lost-copies.ts).
 */
const PAUSE_PER_WALK = 3;
const PAUSE_PER_AWAITED_WALK = 1;

export class BlockSurvey implements BackgroundWorker {
  readonly name = 'block-survey';
  readonly #components: BlockSurveyComponents;
  #walk: (Omit<SurveyResult, 'tookMs'> & { after: string; readonly beganMs: number }) | undefined;
  #result: SurveyResult | undefined;

  constructor(components: BlockSurveyComponents) {
    this.#components = components;
  }

  get idleMs(): number {
    const { membersVersion } = this.#components.machine.counters();
    const last = this.#result;
    if (last === undefined) return NEWS_IDLE_MS;
    // Somebody may wait for what the members are now, or for a datanode to be empty.
    const isAwaited = last.membersVersion !== membersVersion || last.tally.needed().length > 0;
    return isAwaited
      ? Math.max(NEWS_IDLE_MS, PAUSE_PER_AWAITED_WALK * last.tookMs)
      : Math.max(IDLE_MS, PAUSE_PER_WALK * last.tookMs);
  }

  /** Undefined until a walk over what is kept now has ended. */
  get result(): SurveyResult | undefined {
    return this.#result?.shards === this.#components.keeper.shards() ? this.#result : undefined;
  }

  async work(): Promise<WorkState> {
    const { machine, keeper, examiner, balance, clock } = this.#components;
    const shards = keeper.shards();
    if (this.#walk?.shards !== shards) this.#walk = undefined;
    if (this.#walk === undefined && !this.#isKnown(shards)) return 'idle';
    this.#walk ??= {
      tally: new KeeperTally(),
      shards,
      membersVersion: machine.counters().membersVersion,
      after: '',
      beganMs: clock.monotonicMs(),
    };
    const walk = this.#walk;
    const page = await machine.scanBlocks(walk.after, PAGE_BLOCKS);
    const kept = page.filter(({ hash }) => shards.has(shardOfHash(hash)));
    for (const block of await examiner.examine(kept, PATIENCE_MS)) {
      walk.tally.add(block);
      balance.look(block);
    }
    const next = page.length < PAGE_BLOCKS ? undefined : nextPosition(page.at(-1)?.hash ?? '', shards);
    if (next !== undefined) {
      walk.after = next;
      return 'busy';
    }
    this.#result = { ...walk, tookMs: clock.monotonicMs() - walk.beganMs };
    this.#walk = undefined;
    return 'idle';
  }

  /** What is not known everything of is not walked over: blocks would seem lost that are not. */
  #isKnown(shards: ReadonlySet<number>): boolean {
    for (const shard of shards) if (!this.#components.index.isComplete(shard)) return false;
    return true;
  }
}

/** After `hash`, past shards that others keep; undefined when there are no further ones. */
function nextPosition(hash: string, shards: ReadonlySet<number>): string | undefined {
  const shard = shardOfHash(hash);
  if (shards.has(shard)) return hash;
  for (let next = shard + 1; next < SHARD_COUNT; next += 1) if (shards.has(next)) return beforeShard(next);
  return undefined;
}
