/** @module Keeps the memory of a location table within its bound: carries shards to disk and back, some at a time. */
import { describe } from './errors.ts';
import { Gate } from './gate.ts';
import type { Clock, Logger, PageStore } from './ports.ts';
import { ShardMoves } from './shard-moves.ts';
import { MAX_ROWS_READ, SpilledReads, type SpilledReadsOptions } from './spilled-reads.ts';
import type { Records } from './shard-records.ts';
import { diskBytesOf, type Move, SpillPlan, type SpillPlanOptions } from './spill-plan.ts';
import { SpilledRecords } from './spilled-records.ts';
import type { Shard, TableShards } from './table-shards.ts';

/** A disk that was full, or failed, is tried again after so long, in milliseconds. */
export const RETRY_MS = 10_000;
/** Of the bound, for rows that were read. */
const READ_SHARE = 0.0625;
/** Moves at a time, and what they may move in all: one that is larger goes alone. */
const MAX_MOVES = 16;
const MAX_MOVING_BYTES: number = 512 * 1024;
/** Memory is added up once in so many changed records, or sooner where the bound is low. */
const CHANGES_PER_LOOK = 1_024;
const BYTES_PER_CHANGE = 80;
const LOOKS_PER_BOUND = 64;

export interface ShardSpillComponents {
  readonly shards: TableShards;
  readonly store: PageStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ShardSpillOptions extends SpilledReadsOptions, SpillPlanOptions {}

export class ShardSpill {
  readonly reads: SpilledReads;
  readonly #components: ShardSpillComponents;
  readonly #options: ShardSpillOptions;
  readonly #moves: ShardMoves;
  readonly #moved = new Gate();
  readonly #plan: SpillPlan;
  readonly #underWay = new Set<Shard>();
  /** The last comes first. */
  #planned: Move[] = [];
  #movingBytes = 0;
  readonly #changesPerLook: number;
  #changes = 0;
  /** As of the last look, less what moves have freed since: to add it up takes a millisecond. */
  #sizeBytes = 0;
  #isMoving = false;
  #isStopped = false;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #failure: string | undefined;

  constructor(components: ShardSpillComponents, options: ShardSpillOptions) {
    this.#components = components;
    this.#options = options;
    const maxRowsRead = Math.min(MAX_ROWS_READ, (READ_SHARE * options.memoryBytes) / BYTES_PER_CHANGE);
    this.reads = new SpilledReads(components, { maxRowsRead, ...options });
    this.#moves = new ShardMoves({ ...components, reads: this.reads });
    this.#plan = new SpillPlan(components.shards, options);
    const changesInBound = options.memoryBytes / BYTES_PER_CHANGE / LOOKS_PER_BOUND;
    this.#changesPerLook = Math.max(1, Math.min(CHANGES_PER_LOOK, changesInBound));
  }

  /** Why nothing can be written to disk for now. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Whether shards can be written. While they cannot, only memory counts. */
  get isAble(): boolean {
    return this.#components.clock.monotonicMs() >= this.#retryAtMs;
  }

  /** Records in the runs on disk, as of when each was written. */
  get records(): number {
    return this.#components.shards.spilledRecords;
  }

  get usedBytes(): number {
    return this.#components.store.usedBytes;
  }

  /** So many records came or went. */
  changed(records: number): void {
    this.#changes += records;
    if (this.#changes < this.#changesPerLook) return;
    this.#changes = 0;
    this.#sizeBytes = this.#components.shards.sizeBytes;
    if (!this.#isMoving) void this.#move();
  }

  /** Its shard has been forgotten: nobody will ask for it again. */
  release(records: Records): void {
    if (!(records instanceof SpilledRecords)) return;
    this.reads.forget(records);
    this.#components.store.free(records.run.place);
  }

  /** Resolves when memory has room again, or nothing more can be done for it. Undefined when it has room now. */
  room(): Promise<void> | undefined {
    return this.#isFull() ? this.#waitForRoom() : undefined;
  }

  stop(): void {
    this.#isStopped = true;
    this.reads.stop();
    this.#moved.open();
  }

  #isFull(): boolean {
    return this.#isMoving && !this.#isStopped && this.#sizeBytes > this.#options.memoryBytes;
  }

  async #waitForRoom(): Promise<void> {
    while (this.#isFull()) await this.#moved.wait();
  }

  /** Several shards at a time, since a disk takes long for each however small; few of them when they are large. */
  async #move(): Promise<void> {
    this.#isMoving = true;
    for (;;) {
      const isBusy = this.#movingBytes >= MAX_MOVING_BYTES || this.#underWay.size >= MAX_MOVES;
      const move = isBusy ? undefined : this.#next();
      if (move !== undefined) void this.#carryOut(move);
      else if (this.#underWay.size > 0) await this.#moved.wait();
      else break;
    }
    this.#isMoving = false;
    this.#moved.open();
  }

  async #carryOut(move: Move): Promise<void> {
    const { shard } = move;
    const bytes = movedBytes(move);
    this.#underWay.add(shard);
    this.#movingBytes += bytes;
    try {
      await this.#carryOver(move);
    } catch (error) {
      if (!this.#isStopped) throw error;
    } finally {
      this.#underWay.delete(shard);
      this.#movingBytes -= bytes;
      this.#sizeBytes -= move.freedBytes;
      this.#moved.open();
    }
  }

  async #carryOver({ kind, index, shard }: Move): Promise<void> {
    if (kind === 'to-memory') return this.#moves.toMemory(index);
    const moved = await this.#moves.toDisk(index);
    if (moved.kind === 'failed') this.#failed(moved.error);
    else this.#failure = undefined;
    if (moved.kind === 'unfit') this.#plan.leaveOut(shard);
  }

  #failed(error: unknown): void {
    if (this.#isStopped) return;
    const { clock, logger } = this.#components;
    this.#failure = describe(error);
    this.#retryAtMs = clock.monotonicMs() + RETRY_MS;
    logger.warn('dht.spill-failed', { reason: this.#failure, retryMs: RETRY_MS });
  }

  /** What to do next; undefined when all is well, nothing helps, or what is under way has to end first. */
  #next(): Move | undefined {
    if (this.#isStopped) return undefined;
    for (;;) {
      const move = this.#planned.pop();
      if (move === undefined) break;
      if (this.#plan.isCurrent(move) && (move.kind === 'to-memory' || this.isAble)) return move;
    }
    if (this.#underWay.size > 0) return undefined;
    this.#sizeBytes = this.#components.shards.sizeBytes;
    this.#planned = this.#plan.moves(this.#sizeBytes, this.isAble).toReversed();
    return this.#planned.pop();
  }
}

/** What a move holds in memory and on its way, about. */
function movedBytes({ shard }: Move): number {
  return shard.records.sizeBytes + diskBytesOf(shard);
}
