/** @module The tables as one command sees them: the rows in memory with its own changes on top, kept or dropped whole. */
import { assert } from '../common/errors.ts';
import type { TableName } from '../storage/row-store.ts';
import { compareUtf8 } from '../storage/utf8-order.ts';
import { type KnownRow, UNKNOWN } from './clean-rows.ts';
import { type LoadedRows, MISSING_ROWS } from './missing-rows.ts';
import type { RowCache } from './row-cache.ts';
import { META_CLUSTER, type PinnedTable, type RowTypes } from './rows.ts';
import type { Cluster, Counters } from './schema.ts';

interface Change {
  readonly row: KnownRow;
  readonly isNew: boolean;
}

export interface KeyedRow<T extends TableName> {
  readonly key: string;
  readonly row: RowTypes[T];
}

/** Any read may throw MISSING_ROWS: the attempt is then dropped, the rows are loaded, and it runs again. */
export class RowView {
  readonly #cache: RowCache;
  readonly #loaded: LoadedRows;
  readonly #changes = new Map<TableName, Map<string, Change>>();
  #counters: Counters | undefined;
  readonly #madeDirectories: string[] = [];

  constructor(cache: RowCache, loaded: LoadedRows) {
    this.#cache = cache;
    this.#loaded = loaded;
  }

  /** The view's own copy: change it in place. */
  get counters(): Counters {
    this.#counters ??= { ...this.#cache.counters };
    return this.#counters;
  }

  /** Undefined until Genesis. */
  get cluster(): Cluster | undefined {
    return this.get('meta', META_CLUSTER);
  }

  get<T extends TableName>(table: T, key: string): RowTypes[T] | undefined {
    const row = this.#find(table, key);
    if (row === UNKNOWN) throw MISSING_ROWS;
    return row as RowTypes[T] | undefined;
  }

  /** Rows in the order of `keys`; all that are missing are asked for at once. */
  getMany<T extends TableName>(table: T, keys: readonly string[]): (RowTypes[T] | undefined)[] {
    const rows = keys.map((key) => this.#find(table, key));
    if (rows.includes(UNKNOWN)) throw MISSING_ROWS;
    return rows as (RowTypes[T] | undefined)[];
  }

  /** Like getMany, for rows that one pass goes over: those that had to be loaded are not remembered for others. */
  peekMany<T extends TableName>(table: T, keys: readonly string[]): (RowTypes[T] | undefined)[] {
    this.#loaded.pass(table, keys);
    return this.getMany(table, keys);
  }

  /** Says that these rows will be needed soon, so that they are loaded together with the first one that is missing. */
  hint(table: TableName, keys: readonly string[]): void {
    for (const key of keys) this.#find(table, key);
  }

  put<T extends TableName>(table: T, key: string, row: RowTypes[T]): void {
    this.#change(table, key, { row, isNew: false });
  }

  /** Puts a row that cannot exist yet, without looking. */
  insert<T extends TableName>(table: T, key: string, row: RowTypes[T]): void {
    this.#change(table, key, { row, isNew: true });
  }

  /** Says that the directory with this key of table `inode` is made by this command: no entry of it can exist yet. */
  makesDirectory(key: string): void {
    this.#madeDirectories.push(key);
  }

  remove(table: TableName, key: string): void {
    this.#change(table, key, { row: undefined, isNew: false });
  }

  /** Rows in [from, to) in key order, at most `limit`. */
  scan<T extends TableName>(table: T, from: string, to: string, limit: number): KeyedRow<T>[] {
    const inRange = (key: string): boolean => compareUtf8(key, from) >= 0 && compareUtf8(key, to) < 0;
    const changes = this.#cache.changesIn(table, inRange);
    for (const [key, { row }] of this.#changes.get(table) ?? []) if (inRange(key)) changes.set(key, row);
    for (let wanted = limit; ; wanted *= 2) {
      const page = this.#loaded.page(table, from, to, wanted);
      // Beyond the last row of an incomplete page the store may have more: nothing there is certain yet.
      const horizon = page.complete ? undefined : page.rows.at(-1)?.key;
      const rows = page.rows.filter(({ key }) => !changes.has(key)) as KeyedRow<T>[];
      for (const [key, row] of changes)
        if (row !== undefined && (horizon === undefined || compareUtf8(key, horizon) <= 0))
          rows.push({ key, row: row as RowTypes[T] });
      if (rows.length < limit && !page.complete) continue;
      return rows.toSorted((a, b) => compareUtf8(a.key, b.key)).slice(0, limit);
    }
  }

  /** All rows of a pinned table in key order; never throws MISSING_ROWS. */
  all<T extends PinnedTable>(table: T): RowTypes[T][] {
    const rows = new Map<string, KnownRow>(this.#cache.pinned(table));
    for (const [key, { row }] of this.#changes.get(table) ?? []) rows.set(key, row);
    return [...rows]
      .filter(([, row]) => row !== undefined)
      .toSorted(([a], [b]) => compareUtf8(a, b))
      .map(([, row]) => row as RowTypes[T]);
  }

  /** Keeps all changes. */
  commit(): void {
    // Before the entries that this command may have put into them.
    for (const key of this.#madeDirectories) this.#cache.directoryMade(key);
    for (const [table, rows] of this.#changes)
      for (const [key, { row, isNew }] of rows) this.#cache.change(table, key, row, isNew);
    if (this.#counters !== undefined) this.#cache.counters = this.#counters;
    this.rollback();
  }

  /** Drops all changes. */
  rollback(): void {
    this.#changes.clear();
    this.#madeDirectories.length = 0;
    this.#counters = undefined;
  }

  /** UNKNOWN is noted as wanted. */
  #find(table: TableName, key: string): KnownRow | typeof UNKNOWN {
    const own = this.#changes.get(table)?.get(key);
    return own === undefined ? this.#loaded.get(table, key) : own.row;
  }

  #change(table: TableName, key: string, change: Change): void {
    assert(key !== '', `a row of ${table} has a key`);
    let rows = this.#changes.get(table);
    if (rows === undefined) this.#changes.set(table, (rows = new Map()));
    const before = rows.get(key);
    rows.set(key, { row: change.row, isNew: change.isNew || before?.isNew === true });
  }
}
