/** @module Keeps the memory of a location table within its bound: decides which shards go to disk, and which come back. */
import { describe } from './errors.ts';
import { Gate } from './gate.ts';
import { type Clock, type Logger, PAGE_SIZE_BYTES, type PageStore } from './ports.ts';
import { ShardMoves } from './shard-moves.ts';
import { SHARD_COUNT } from './shard.ts';
import { MAX_ROWS_READ, SpilledReads, type SpilledReadsOptions } from './spilled-reads.ts';
import type { Records } from './shard-records.ts';
import { SpilledRecords } from './spilled-records.ts';
import { isSpilled, type Shard, type TableShards } from './table-shards.ts';

/** A shard with less memory to give back is left there, or with less than half of its even share of the bound. */
export const DEFAULT_MIN_SHARD_BYTES: number = 2 * PAGE_SIZE_BYTES;
const MIN_SHARE = 0.5;
/** A disk that was full, or failed, is tried again after so long, in milliseconds. */
export const RETRY_MS = 60_000;
/** Shards go to disk from this share of the bound on, until it is less by the second; they come back below the third as long as they fit below the last. */
const SPILL_FROM = 0.9;
const SPILL_MARGIN = 0.05;
const RESTORE_BELOW = 0.6;
const RESTORE_UP_TO = 0.75;
/** A shard on disk is written anew before others follow it when so much of it has changed. */
const MERGE_SHARE = 0.25;
/** Dead records may be this share of all before shards on disk are written anew without them. */
const DEAD_SHARE = 0.125;
/** A shard in memory is no larger than so many times its run: it keeps room to grow. */
const MEMORY_PER_DISK = 2;
/** Of the bound, for rows that were read. */
const READ_SHARE = 0.0625;
/** Moves at a time, and what they may move in all: one that is larger goes alone. */
const MAX_MOVES = 16;
/** Moves that one look at all shards is for. */
const MAX_PLANNED = 512;
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

export interface ShardSpillOptions extends SpilledReadsOptions {
  /** What records may take of memory. */
  readonly memoryBytes: number;
  readonly minShardBytes?: number | undefined;
}

interface Move {
  readonly kind: 'to-disk' | 'to-memory';
  readonly index: number;
  readonly shard: Shard;
  /** Memory that it frees. */
  readonly freedBytes: number;
}

export class ShardSpill {
  readonly reads: SpilledReads;
  readonly #components: ShardSpillComponents;
  readonly #options: ShardSpillOptions;
  readonly #moves: ShardMoves;
  readonly #moved = new Gate();
  /** Do not fit the form of a run. */
  readonly #unfit = new WeakSet<Shard>();
  readonly #underWay = new Set<Shard>();
  /** The last comes first. */
  #planned: Move[] = [];
  #movingBytes = 0;
  readonly #changesPerLook: number;
  readonly #minShardBytes: number;
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
    const share = (MIN_SHARE * options.memoryBytes) / SHARD_COUNT;
    this.#minShardBytes = options.minShardBytes ?? Math.min(DEFAULT_MIN_SHARD_BYTES, share);
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
    if (moved.kind === 'unfit') this.#unfit.add(shard);
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
      const isCurrent = this.#components.shards.at(move.index) === move.shard && !this.#unfit.has(move.shard);
      if (isCurrent && (move.kind === 'to-memory' || this.isAble)) return move;
    }
    if (this.#underWay.size > 0) return undefined;
    this.#sizeBytes = this.#components.shards.sizeBytes;
    this.#planned = this.#plan().toReversed();
    return this.#planned.pop();
  }

  /** Looks at every shard, so for many moves at a time; the first comes first. */
  #plan(): Move[] {
    const { shards } = this.#components;
    const { memoryBytes } = this.#options;
    const overBytes = this.#sizeBytes - SPILL_FROM * memoryBytes;
    if (overBytes > 0)
      return this.isAble ? firstUntil(this.#toSpill(), overBytes + SPILL_MARGIN * memoryBytes) : [];
    if (shards.spilled === 0) return [];
    const { liveRecords, deadRecords } = shards.holders;
    const areManyDead = deadRecords > DEAD_SHARE * (liveRecords + deadRecords);
    const swept = areManyDead && this.isAble ? this.#toSweep() : [];
    if (swept.length > 0) return swept.slice(0, MAX_PLANNED);
    if (this.#sizeBytes >= RESTORE_BELOW * memoryBytes) return [];
    return this.#toRestore(RESTORE_UP_TO * memoryBytes - this.#sizeBytes);
  }

  /** What is on disk and has changed a lot; then what is in memory, unchanged for the longest time first; then what has changed at all. */
  #toSpill(): Move[] {
    const resident: Move[] = [];
    const changed: Move[] = [];
    const barelyChanged: Move[] = [];
    for (const [index, shard] of this.#components.shards.entries()) {
      const freedBytes = isSpilled(shard) ? shard.records.changedBytes : shard.records.sizeBytes;
      const isWorthIt = shard.records.size > 0 || isSpilled(shard);
      if (!isWorthIt || freedBytes === 0 || freedBytes < this.#minShardBytes || this.#unfit.has(shard))
        continue;
      const move = { kind: 'to-disk', index, shard, freedBytes } as const;
      if (!isSpilled(shard)) resident.push(move);
      else if (freedBytes >= MERGE_SHARE * diskBytesOf(shard)) changed.push(move);
      else barelyChanged.push(move);
    }
    const byFreed = (a: Move, b: Move): number => b.freedBytes - a.freedBytes;
    return [
      ...changed.toSorted(byFreed),
      ...resident.toSorted((a, b) => a.shard.changedAt - b.shard.changedAt),
      ...barelyChanged.toSorted(byFreed),
    ];
  }

  #toSweep(): Move[] {
    const { shards } = this.#components;
    return [...shards.entries()]
      .filter(([index, shard]) => isSpilled(shard) && !this.#unfit.has(shard) && shards.deadIn(index) > 0)
      .map(([index, shard]) => ({ kind: 'to-disk', index, shard, freedBytes: 0 }));
  }

  /** What changed last first, of what fits into `roomBytes`. */
  #toRestore(roomBytes: number): Move[] {
    let leftBytes = roomBytes;
    return [...this.#components.shards.entries()]
      .filter(([, shard]) => isSpilled(shard))
      .toSorted(([, a], [, b]) => b.changedAt - a.changedAt)
      .map(([index, shard]): Move => ({ kind: 'to-memory', index, shard, freedBytes: 0 }))
      .filter(({ shard }) => (leftBytes -= diskBytesOf(shard) * MEMORY_PER_DISK) >= 0)
      .slice(0, MAX_PLANNED);
  }
}

/** As many of the first moves as free so many bytes, and MAX_PLANNED at most. */
function firstUntil(moves: readonly Move[], bytes: number): Move[] {
  let freedBytes = 0;
  const end = moves.findIndex((move) => (freedBytes += move.freedBytes) >= bytes);
  return moves.slice(0, Math.min(MAX_PLANNED, end === -1 ? moves.length : end + 1));
}

function diskBytesOf(shard: Shard): number {
  return isSpilled(shard) ? shard.records.run.place.pages * PAGE_SIZE_BYTES : 0;
}

/** What a move holds in memory and on its way, about. */
function movedBytes({ shard }: Move): number {
  return shard.records.sizeBytes + diskBytesOf(shard);
}
