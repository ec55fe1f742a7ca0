/** @module The shards of a location table: each in memory or on disk, and the records of dead holders cleared out of them in time. */
import type { HolderRegistry } from './holder-registry.ts';
import { SHARD_COUNT } from './shard.ts';
import type { ShardDigests } from './shard-digests.ts';
import { type HashKey, type Records, ShardRecords } from './shard-records.ts';
import { SpilledRecords } from './spilled-records.ts';

export interface Shard {
  records: Records;
  /** The registry's `deaths` when its dead records were last cleared away. */
  sweptAt: number;
  /** When it changed last, counted in batches. */
  changedAt: number;
  /** While it is being written to disk: hashes whose rows have changed since that began. */
  touched: ShardRecords | undefined;
}

/** The holders that had died by then, of whom some record is still there. */
export interface SweptAt {
  readonly deaths: number;
  readonly dead: readonly number[];
}

/** Any number but NO_HOLDER: touched hashes are a set. */
const TOUCHED = 1;

export class TableShards {
  readonly key: HashKey;
  readonly holders: HolderRegistry;
  readonly #shards: (Shard | undefined)[] = [];
  /** The numbers of those that are there, ascending: often few of so many. */
  readonly #present: number[] = [];
  /** How many records of each shard name a dead holder, by its number: until they are cleared away. */
  readonly #dead = new Map<number, Uint32Array>();
  #batches = 0;
  #spilled = 0;
  #spilledRecords = 0;
  #allSweptAt = 0;

  constructor(holders: HolderRegistry, key: HashKey) {
    this.holders = holders;
    this.key = key;
  }

  at(index: number): Shard | undefined {
    return this.#shards[index];
  }

  /** Shards with at least one block in them. */
  get count(): number {
    let count = 0;
    for (const [, shard] of this.entries()) if (shard.records.size > 0) count++;
    return count;
  }

  /** Shards that are on disk. */
  get spilled(): number {
    return this.#spilled;
  }

  /** Records in the runs on disk, as of when each was written. */
  get spilledRecords(): number {
    return this.#spilledRecords;
  }

  /** Memory of all records, in bytes. */
  get sizeBytes(): number {
    let sum = 0;
    for (const index of this.#present) sum += this.#shards[index]?.records.sizeBytes ?? 0;
    return sum;
  }

  /** Those that are there, with their numbers, ascending. None may come or go meanwhile. */
  *entries(): IterableIterator<[number, Shard]> {
    for (const index of this.#present) {
      const shard = this.#shards[index];
      if (shard !== undefined) yield [index, shard];
    }
  }

  /** What changes from here on changed later than before. */
  nextBatch(): void {
    this.#batches++;
  }

  /** The shard for a change, or to look through; of one in memory the dead are cleared away: the cost of a death is spread over later touches. */
  swept(index: number): Shard {
    const shard = this.#shards[index] ?? this.#begin(index);
    // On disk, and on its way there, they are left out when it is written the next time.
    if (
      shard.sweptAt !== this.holders.deaths &&
      shard.touched === undefined &&
      shard.records instanceof ShardRecords
    )
      this.#sweep(index, shard);
    return shard;
  }

  /** Of all that is in memory. Costs nothing while nobody has died since the last time. */
  sweepAll(): void {
    if (this.#allSweptAt === this.holders.deaths) return;
    this.#allSweptAt = this.holders.deaths;
    for (const [index] of this.entries()) this.swept(index);
  }

  /** The row of a hash in `shard` has changed. */
  changed(shard: Shard, packed: DataView, offset: number): void {
    shard.changedAt = this.#batches;
    shard.touched?.add(packed, offset, TOUCHED);
  }

  /** Records in a shard that name a dead holder. */
  deadIn(index: number): number {
    let records = 0;
    for (const counts of this.#dead.values()) records += counts[index] ?? 0;
    return records;
  }

  sweptNow(): SweptAt {
    return { deaths: this.holders.deaths, dead: [...this.#dead.keys()] };
  }

  /** The same records, elsewhere, none of which names any who had died by `swept`. */
  replace(index: number, shard: Shard, records: Records, swept: SweptAt): void {
    this.#countSpilled(shard.records, -1);
    this.#countSpilled(records, 1);
    shard.records = records;
    shard.sweptAt = swept.deaths;
    this.#release(index, swept.dead);
  }

  /** All records of a holder are void from here on; `digests` say where they are. */
  bury(id: number, digests: ShardDigests): void {
    if (this.holders.recordsOf(id) > 0)
      this.#dead.set(
        id,
        Uint32Array.from({ length: SHARD_COUNT }, (_, index) => digests.count(index)),
      );
    this.holders.bury(id);
  }

  /** Takes a shard out whole; records that name the living are the caller's to release. */
  forget(index: number): Shard | undefined {
    const shard = this.#shards[index];
    if (shard === undefined) return undefined;
    this.#shards[index] = undefined;
    this.#present.splice(this.#placeOf(index), 1);
    this.#countSpilled(shard.records, -1);
    this.#release(index, this.#dead.keys());
    return shard;
  }

  #begin(index: number): Shard {
    const shard: Shard = {
      records: new ShardRecords(this.key),
      sweptAt: this.holders.deaths,
      changedAt: this.#batches,
      touched: undefined,
    };
    this.#shards[index] = shard;
    this.#present.splice(this.#placeOf(index), 0, index);
    return shard;
  }

  #countSpilled(records: Records, by: 1 | -1): void {
    if (!(records instanceof SpilledRecords)) return;
    this.#spilled += by;
    this.#spilledRecords += by * records.run.records;
  }

  /** Where a number is among those that are there, or belongs. */
  #placeOf(index: number): number {
    let from = 0;
    let to = this.#present.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#present[middle] ?? index) < index) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #sweep(index: number, shard: Shard): void {
    shard.sweptAt = this.holders.deaths;
    const dead: { readonly hash: Uint8Array; readonly id: number }[] = [];
    shard.records.forEach((hash, holders) => {
      for (const id of holders) if (!this.holders.isAlive(id)) dead.push({ hash: Uint8Array.from(hash), id });
    });
    for (const { hash, id } of dead) shard.records.remove(new DataView(hash.buffer), 0, id);
    this.#release(index, this.#dead.keys());
  }

  /** Nothing in a shard names the dead holders `ids` any more. */
  #release(index: number, ids: Iterable<number>): void {
    for (const id of ids) {
      const counts = this.#dead.get(id);
      const records = counts?.[index] ?? 0;
      if (counts === undefined || records === 0) continue;
      counts[index] = 0;
      if (this.holders.recordsOf(id) === records) this.#dead.delete(id);
      this.holders.release(id, records);
    }
  }
}

export function isSpilled(shard: Shard | undefined): shard is Shard & { records: SpilledRecords } {
  return shard?.records instanceof SpilledRecords;
}
