/** @module Which shards of a location table go to disk, and which come back, so that memory stays within its bound. */
import { PAGE_SIZE_BYTES } from './ports.ts';
import { SHARD_COUNT } from './shard.ts';
import { isSpilled, type Shard, type TableShards } from './table-shards.ts';

/** A shard with less memory to give back is left there, or with less than half of its even share of the bound. */
const DEFAULT_MIN_SHARD_BYTES: number = 2 * PAGE_SIZE_BYTES;
const MIN_SHARE = 0.5;
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
/** Moves that one look at all shards is for. */
const MAX_PLANNED = 512;

export interface SpillPlanOptions {
  /** What records may take of memory. */
  readonly memoryBytes: number;
  readonly minShardBytes?: number | undefined;
}

export interface Move {
  readonly kind: 'to-disk' | 'to-memory';
  readonly index: number;
  readonly shard: Shard;
  /** Memory that it frees. */
  readonly freedBytes: number;
}

export class SpillPlan {
  readonly #shards: TableShards;
  readonly #options: SpillPlanOptions;
  readonly #minShardBytes: number;
  /** Do not fit the form of a run. */
  readonly #unfit = new WeakSet<Shard>();

  constructor(shards: TableShards, options: SpillPlanOptions) {
    this.#shards = shards;
    this.#options = options;
    const share = (MIN_SHARE * options.memoryBytes) / SHARD_COUNT;
    this.#minShardBytes = options.minShardBytes ?? Math.min(DEFAULT_MIN_SHARD_BYTES, share);
  }

  /** It stays in memory for good. */
  leaveOut(shard: Shard): void {
    this.#unfit.add(shard);
  }

  /** Whether a move that was planned can still be made. */
  isCurrent({ index, shard }: Move): boolean {
    return this.#shards.at(index) === shard && !this.#unfit.has(shard);
  }

  /**
   * Looks at every shard, so for many moves at a time; the first comes first. None when all is well, or nothing helps.
   * `sizeBytes`: memory of all records by now; `isAble`: whether shards can be written to disk.
   */
  moves(sizeBytes: number, isAble: boolean): Move[] {
    const shards = this.#shards;
    const { memoryBytes } = this.#options;
    const overBytes = sizeBytes - SPILL_FROM * memoryBytes;
    if (overBytes > 0)
      return isAble ? firstUntil(this.#toSpill(), overBytes + SPILL_MARGIN * memoryBytes) : [];
    if (shards.spilled === 0) return [];
    const { liveRecords, deadRecords } = shards.holders;
    const areManyDead = deadRecords > DEAD_SHARE * (liveRecords + deadRecords);
    const swept = areManyDead && isAble ? this.#toSweep() : [];
    if (swept.length > 0) return swept.slice(0, MAX_PLANNED);
    if (sizeBytes >= RESTORE_BELOW * memoryBytes) return [];
    return this.#toRestore(RESTORE_UP_TO * memoryBytes - sizeBytes);
  }

  /** What is on disk and has changed a lot; then what is in memory, unchanged for the longest time first; then what has changed at all. */
  #toSpill(): Move[] {
    const resident: Move[] = [];
    const changed: Move[] = [];
    const barelyChanged: Move[] = [];
    for (const [index, shard] of this.#shards.entries()) {
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
    const shards = this.#shards;
    return [...shards.entries()]
      .filter(([index, shard]) => isSpilled(shard) && !this.#unfit.has(shard) && shards.deadIn(index) > 0)
      .map(([index, shard]) => ({ kind: 'to-disk', index, shard, freedBytes: 0 }));
  }

  /** What changed last first, of what fits into `roomBytes`. */
  #toRestore(roomBytes: number): Move[] {
    let leftBytes = roomBytes;
    return [...this.#shards.entries()]
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

/** What a shard has on disk, in bytes. */
export function diskBytesOf(shard: Shard): number {
  return isSpilled(shard) ? shard.records.run.place.pages * PAGE_SIZE_BYTES : 0;
}
