/** @module The signal that an attempt needs rows which are not in memory, and what those rows are. */
import type { RowStore, TableName } from '../storage/row-store.ts';
import { type KnownRow, UNKNOWN } from './clean-rows.ts';
import type { RowCache } from './row-cache.ts';
import { type AnyRow, decodeRow } from './rows.ts';

/** Thrown to give an attempt up; the same attempt is made again once `LoadedRows.load` has run. Carries no trace: it is frequent. */
export const MISSING_ROWS: unique symbol = Symbol('rows are missing');

/** The first rows of a range as the store has them. */
export interface Page {
  readonly rows: readonly { readonly key: string; readonly row: AnyRow }[];
  /** False: the store has further rows in the range. */
  readonly complete: boolean;
}

interface WantedPage {
  readonly table: TableName;
  readonly from: string;
  readonly to: string;
  readonly limit: number;
}

/**
 * What attempts see: the cache, and beside it all that was loaded for them, which no eviction takes away.
 * One per unit of work (a read, an apply); asked synchronously, filled between attempts.
 */
export class LoadedRows {
  readonly #store: RowStore;
  readonly #cache: RowCache;
  readonly #rows = new Map<TableName, Map<string, KnownRow>>();
  readonly #pages = new Map<string, Page>();
  /** Rows that are only passed by: in the cache they would drive out what others come back to. */
  readonly #passing = new Map<TableName, Set<string>>();
  readonly #wantedRows = new Map<TableName, Set<string>>();
  readonly #wantedPages = new Map<string, WantedPage>();
  #flushes: number;

  constructor(store: RowStore, cache: RowCache) {
    this.#store = store;
    this.#cache = cache;
    this.#flushes = cache.flushes;
  }

  /** The row, or UNKNOWN: then it is noted as wanted. */
  get(table: TableName, key: string): KnownRow | typeof UNKNOWN {
    const row = this.#cache.get(table, key);
    if (row !== UNKNOWN) return row;
    this.#dropStale();
    const rows = this.#rows.get(table);
    if (rows?.has(key)) return rows.get(key);
    let keys = this.#wantedRows.get(table);
    if (keys === undefined) this.#wantedRows.set(table, (keys = new Set()));
    keys.add(key);
    return UNKNOWN;
  }

  /** These rows are looked at once: if they must be loaded, the cache does not get them. */
  pass(table: TableName, keys: readonly string[]): void {
    const passing = this.#passing.get(table) ?? new Set();
    this.#passing.set(table, passing);
    for (const key of keys) passing.add(key);
  }

  /** A page of the store's rows in [from, to). Throws MISSING_ROWS until one of `limit` rows (or all there are) is loaded. */
  page(table: TableName, from: string, to: string, limit: number): Page {
    this.#dropStale();
    const id = `${table}:${from}\0${to}`;
    const page = this.#pages.get(id);
    if (page !== undefined && (page.complete || page.rows.length >= limit)) return page;
    this.#wantedPages.set(id, { table, from, to, limit });
    throw MISSING_ROWS;
  }

  /** Whether anything was asked for that load() would get. */
  get isLacking(): boolean {
    return this.#wantedRows.size > 0 || this.#wantedPages.size > 0;
  }

  /** Loads all that is wanted, in one read per table and one per range. Rejects as the store does. */
  async load(): Promise<void> {
    const wantedRows = [...this.#wantedRows];
    const pages = [...this.#wantedPages];
    this.#wantedRows.clear();
    this.#wantedPages.clear();
    this.#dropStale();
    const flushes = this.#flushes;
    const loadedRows = await Promise.all(wantedRows.map(([table, keys]) => this.#readRows(table, [...keys])));
    const loadedPages = await Promise.all(pages.map(([id, wanted]) => this.#readPage(id, wanted)));
    // A flush ended meanwhile: what was read may be older than what was written. The next attempt asks again.
    if (this.#cache.flushes !== flushes) return;
    for (const { table, rows } of loadedRows) this.#keep(table, rows);
    for (const { id, page } of loadedPages) this.#pages.set(id, page);
  }

  async #readRows(
    table: TableName,
    keys: readonly string[],
  ): Promise<{ table: TableName; rows: ReadonlyMap<string, KnownRow> }> {
    const values = await this.#store.getMany(table, keys);
    const rows = new Map<string, KnownRow>();
    keys.forEach((key, index) => {
      const value = values[index];
      rows.set(key, value === undefined ? undefined : decodeRow(table, value));
    });
    return { table, rows };
  }

  #keep(table: TableName, rows: ReadonlyMap<string, KnownRow>): void {
    const kept = this.#rows.get(table) ?? new Map<string, KnownRow>();
    this.#rows.set(table, kept);
    const passing = this.#passing.get(table);
    for (const [key, row] of rows) {
      if (passing?.has(key) !== true && this.#cache.get(table, key) === UNKNOWN)
        this.#cache.remember(table, key, row);
      kept.set(key, row);
    }
  }

  async #readPage(id: string, wanted: WantedPage): Promise<{ id: string; page: Page }> {
    const rows = await this.#store.scan(wanted.table, wanted.from, wanted.to, wanted.limit);
    return {
      id,
      page: {
        rows: rows.map(({ key, value }) => ({ key, row: decodeRow(wanted.table, value) })),
        complete: rows.length < wanted.limit,
      },
    };
  }

  #dropStale(): void {
    if (this.#flushes === this.#cache.flushes) return;
    this.#rows.clear();
    this.#pages.clear();
    this.#flushes = this.#cache.flushes;
  }
}
