/** @module Reads from disk, before a piece of synchronous work begins, the location records that it will touch. */
import { describe, stopped } from './errors.ts';
import { shardOfPrefix } from './hash-prefix.ts';
import { forEachPacked } from './packed-hashes.ts';
import type { Logger, PageStore } from './ports.ts';
import type { SpilledRecords } from './spilled-records.ts';
import { isSpilled, type TableShards } from './table-shards.ts';

/** Rows that were read stay in memory until there are so many: near 4 MiB, and those asked for often are among them. */
export const MAX_ROWS_READ = 65_536;

export interface SpilledReadsComponents {
  readonly shards: TableShards;
  readonly store: PageStore;
  readonly logger: Logger;
}

export interface SpilledReadsOptions {
  /** Told of a shard that cannot be read any more: it is to be forgotten at once. */
  readonly onLost: (shard: number) => void;
  readonly maxRowsRead?: number;
}

/** A row that is not in memory. */
interface MissingRow {
  readonly shard: number;
  readonly records: SpilledRecords;
  readonly page: number;
  readonly packed: DataView;
  readonly offset: number;
}

interface FoundRow extends MissingRow {
  readonly holders: Uint16Array;
}

/**
 * Work begins in the very turn in which everything it needs was seen to be in memory, so that nothing can change in between.
 * While no shard is on disk it begins at once.
 */
export class SpilledReads {
  readonly #components: SpilledReadsComponents;
  readonly #options: SpilledReadsOptions;
  /** Who keeps rows that were read, the longest ago first. */
  readonly #keepers = new Set<SpilledRecords>();
  #rowsRead = 0;
  #pagesRead = 0;
  #isStopped = false;

  constructor(components: SpilledReadsComponents, options: SpilledReadsOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Since the start. */
  get pagesRead(): number {
    return this.#pagesRead;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** `work` with the rows of all packed hashes in memory. Throws DHT_BAD_BATCH; rejects with DHT_STOPPED. */
  withRows<T>(hashes: readonly Uint8Array[], work: () => T): T | Promise<T> {
    if (this.#components.shards.spilled === 0) return work();
    const missing = this.#missing(hashes);
    return missing.length === 0 ? work() : this.#afterReading(missing, hashes, work);
  }

  /** `work` with every row below a prefix of hex digits in memory. Throws DHT_BAD_BATCH; rejects with DHT_STOPPED. */
  withPrefix<T>(prefix: string, work: () => T): T | Promise<T> {
    const shard = shardOfPrefix(prefix);
    return isSpilled(this.#components.shards.at(shard)) ? this.#afterLoading(shard, prefix, work) : work();
  }

  /** The rows that were read of a shard that is elsewhere now. */
  forget(records: SpilledRecords): void {
    if (!this.#keepers.delete(records)) return;
    this.#rowsRead -= records.rowsRead;
    records.forgetRead();
  }

  async #afterReading<T>(
    missing: readonly MissingRow[],
    hashes: readonly Uint8Array[],
    work: () => T,
  ): Promise<T> {
    const found: FoundRow[] = [];
    for (let left = missing; left.length > 0; left = this.#missing(hashes)) {
      found.push(...(await this.#readRows(left)));
      // Others may have pushed out what was read earlier.
      for (const row of found) this.#keep(row);
    }
    try {
      return work();
    } finally {
      this.#trim();
    }
  }

  async #afterLoading<T>(shard: number, prefix: string, work: () => T): Promise<T> {
    const { shards, store } = this.#components;
    for (;;) {
      const current = shards.at(shard);
      if (!isSpilled(current)) return work();
      const { records } = current;
      const { first, count } = records.run.pagesBelow(prefix);
      this.#pagesRead += count;
      const bytes = await store.read(records.run.place, first, count).catch((error: unknown) => {
        this.#failed(shard, records, error);
      });
      if (bytes !== undefined && shards.at(shard)?.records === records)
        return records.withPages(bytes, first, work);
    }
  }

  #missing(hashes: readonly Uint8Array[]): MissingRow[] {
    const { shards } = this.#components;
    const missing: MissingRow[] = [];
    for (const each of hashes)
      forEachPacked(each, (packed, offset, shard) => {
        const current = shards.at(shard);
        if (!isSpilled(current) || current.records.knows(packed, offset)) return;
        const { records } = current;
        missing.push({ shard, records, page: records.run.pageOf(packed, offset), packed, offset });
      });
    return missing;
  }

  async #readRows(rows: readonly MissingRow[]): Promise<FoundRow[]> {
    const pages = await this.#components.store.readEach(
      rows.map(({ records, page }) => ({ run: records.run.place, page })),
    );
    this.#pagesRead += pages.length;
    const found: FoundRow[] = [];
    rows.forEach((row, place) => {
      const { shard, records, page, packed, offset } = row;
      const bytes = pages[place];
      if (bytes instanceof Uint8Array)
        found.push({ ...row, holders: records.run.holdersIn(bytes, page, packed, offset) });
      else this.#failed(shard, records, bytes);
    });
    return found;
  }

  #keep({ records, packed, offset, holders }: FoundRow): void {
    const before = records.rowsRead;
    records.note(packed, offset, holders);
    if (records.rowsRead === before) return;
    this.#rowsRead++;
    this.#keepers.add(records);
  }

  #trim(): void {
    const { maxRowsRead = MAX_ROWS_READ } = this.#options;
    for (const records of this.#keepers) {
      if (this.#rowsRead <= maxRowsRead) return;
      this.forget(records);
    }
  }

  /** A run that was written anew meanwhile, or dropped, is not missed. */
  #failed(shard: number, records: SpilledRecords, error: unknown): void {
    if (this.#isStopped) throw stopped('read location records from disk');
    if (this.#components.shards.at(shard)?.records !== records) return;
    this.#components.logger.warn('dht.spilled-shard-lost', { shard, reason: describe(error) });
    this.#options.onLost(shard);
  }
}
