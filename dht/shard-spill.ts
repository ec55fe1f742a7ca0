/** @module Keeps the memory of a location table within its bound: decides which shards go to disk, and which come back. */
import { describe } from './errors.ts';
import { Gate } from './gate.ts';
import { type Clock, type Logger, PAGE_SIZE_BYTES, type PageStore } from './ports.ts';
import { ShardMoves } from './shard-moves.ts';
import { SpilledReads, type SpilledReadsOptions } from './spilled-reads.ts';
import type { Records } from './shard-records.ts';
import { SpilledRecords } from './spilled-records.ts';
import { isSpilled, type Shard, type TableShards } from './table-shards.ts';

/** A shard with less memory to give back is left there: a page on disk has to be worth it. */
export const DEFAULT_MIN_SHARD_BYTES: number = 2 * PAGE_SIZE_BYTES;
/** A disk that was full, or failed, is tried again after so long, in milliseconds. */
export const RETRY_MS = 60_000;
/** Shards go to disk from this share of the bound on, and come back below the other as long as they fit below the third. */
const SPILL_FROM = 0.9;
const RESTORE_BELOW = 0.6;
const RESTORE_UP_TO = 0.75;
/** A shard on disk is written anew before others follow it when so much of it has changed. */
const MERGE_SHARE = 0.25;
/** Dead records may be this share of all before shards on disk are written anew without them. */
const DEAD_SHARE = 0.125;
/** A shard in memory is no larger than so many times its run: it keeps room to grow. */
const MEMORY_PER_DISK = 2;
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

export interface ShardSpillOptions extends SpilledReadsOptions {
  /** What records may take of memory. */
  readonly memoryBytes: number;
  readonly minShardBytes?: number | undefined;
}

/** What a shard is moved for; each move is one shard's. */
type Move = { readonly kind: 'to-disk' | 'to-memory'; readonly index: number; readonly shard: Shard };

export class ShardSpill {
  readonly reads: SpilledReads;
  readonly #components: ShardSpillComponents;
  readonly #options: ShardSpillOptions;
  readonly #moves: ShardMoves;
  readonly #moved = new Gate();
  /** Do not fit the form of a run. */
  readonly #unfit = new WeakSet<Shard>();
  readonly #changesPerLook: number;
  #changes = 0;
  #sizeBytes = 0;
  #isMoving = false;
  #isStopped = false;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #failure: string | undefined;

  constructor(components: ShardSpillComponents, options: ShardSpillOptions) {
    this.#components = components;
    this.#options = options;
    this.reads = new SpilledReads(components, options);
    this.#moves = new ShardMoves({ ...components, reads: this.reads });
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
    let records = 0;
    for (const [, shard] of this.#components.shards.entries())
      if (isSpilled(shard)) records += shard.records.run.records;
    return records;
  }

  get usedBytes(): number {
    return this.#components.store.usedBytes;
  }

  /** So many records came or went. */
  changed(records: number): void {
    this.#changes += records;
    if (this.#changes < this.#changesPerLook || this.#isMoving) return;
    this.#changes = 0;
    void this.#move();
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

  async #move(): Promise<void> {
    this.#isMoving = true;
    try {
      for (let move = this.#next(); move !== undefined; move = this.#next()) {
        await this.#carryOut(move);
        this.#moved.open();
      }
    } catch (error) {
      if (!this.#isStopped) throw error;
    } finally {
      this.#isMoving = false;
      this.#moved.open();
    }
  }

  async #carryOut({ kind, index, shard }: Move): Promise<void> {
    if (kind === 'to-memory') return this.#moves.toMemory(index);
    const moved = await this.#moves.toDisk(index);
    if (moved.kind === 'failed') this.#failed(moved.error);
    else this.#failure = undefined;
    if (moved.kind === 'unfit') this.#unfit.add(shard);
  }

  #failed(error: unknown): void {
    if (this.#isStopped) return;
    const { clock, logger } = this.#components;
    this.#failure = describe(error);
    this.#retryAtMs = clock.monotonicMs() + RETRY_MS;
    logger.warn('dht.spill-failed', { reason: this.#failure, retryMs: RETRY_MS });
  }

  /** What to do first; undefined when all is well, or nothing helps. */
  #next(): Move | undefined {
    const { shards } = this.#components;
    if (this.#isStopped) return undefined;
    const { memoryBytes } = this.#options;
    this.#sizeBytes = shards.sizeBytes;
    const { liveRecords, deadRecords } = shards.holders;
    if (this.#sizeBytes > SPILL_FROM * memoryBytes) return this.isAble ? this.#toSpill() : undefined;
    if (shards.spilled === 0) return undefined;
    if (deadRecords > DEAD_SHARE * (liveRecords + deadRecords) && this.isAble) {
      const move = this.#toSweep();
      if (move !== undefined) return move;
    }
    return this.#sizeBytes < RESTORE_BELOW * memoryBytes ? this.#toRestore() : undefined;
  }

  /** What is on disk and has changed a lot; else what is in memory and was not changed for the longest time; else what has changed. */
  #toSpill(): Move | undefined {
    const { minShardBytes = DEFAULT_MIN_SHARD_BYTES } = this.#options;
    let changed: Move | undefined;
    let changedBytes = Math.max(0, minShardBytes - 1);
    let changedShare = 0;
    let oldest: Move | undefined;
    for (const [index, shard] of this.#components.shards.entries()) {
      if (this.#unfit.has(shard)) continue;
      const move = { kind: 'to-disk', index, shard } as const;
      if (!isSpilled(shard)) {
        const isWorthIt = shard.records.size > 0 && shard.records.sizeBytes >= minShardBytes;
        if (isWorthIt && shard.changedAt < (oldest?.shard.changedAt ?? Number.POSITIVE_INFINITY))
          oldest = move;
      } else if (shard.records.changedBytes > changedBytes) {
        changed = move;
        ({ changedBytes } = shard.records);
        changedShare = changedBytes / (shard.records.run.place.pages * PAGE_SIZE_BYTES);
      }
    }
    return changedShare >= MERGE_SHARE ? changed : (oldest ?? changed);
  }

  #toSweep(): Move | undefined {
    const { shards } = this.#components;
    for (const [index, shard] of shards.entries())
      if (isSpilled(shard) && !this.#unfit.has(shard) && shards.deadIn(index) > 0)
        return { kind: 'to-disk', index, shard };
    return undefined;
  }

  /** Whatever changed last, of what fits. */
  #toRestore(): Move | undefined {
    const roomBytes = RESTORE_UP_TO * this.#options.memoryBytes - this.#sizeBytes;
    let newest: Move | undefined;
    for (const [index, shard] of this.#components.shards.entries()) {
      if (!isSpilled(shard)) continue;
      const fits = shard.records.run.place.pages * PAGE_SIZE_BYTES * MEMORY_PER_DISK <= roomBytes;
      if (fits && shard.changedAt >= (newest?.shard.changedAt ?? 0))
        newest = { kind: 'to-memory', index, shard };
    }
    return newest;
  }
}
