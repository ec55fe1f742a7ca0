/** @module Rows in memory: changed ones waiting to be written behind, pinned tables, and a bounded rest. */
import type { RowChange, TableName } from '../storage/row-store.ts';
import { CleanRows, type KnownRow, UNKNOWN } from './clean-rows.ts';
import { directoryOfDirent, nameOfDirent } from './keys.ts';
import { KnownNames } from './known-names.ts';
import { type AnyRow, encodeRow, isPinned, PINNED_TABLES, type PinnedTable } from './rows.ts';
import { Counters } from './schema.ts';

interface DirtyRow {
  readonly row: KnownRow;
  /** The store has no such row, so that removing it again leaves nothing to write. */
  readonly isNew: boolean;
}
type Layer = Map<TableName, Map<string, DirtyRow>>;

/** Layers, newest first: rows changed since the last flush began, rows of the flush under way, pinned and clean rows. */
export class RowCache {
  /** The counters as of the last command applied. */
  counters: Counters = Counters.fromPartial({});
  /** Grows when a flush ends: rows read from the store before then may be out of date. */
  flushes = 0;
  /** Grows with every change of a pinned table. */
  pinnedChanges = 0;
  readonly #maxCleanBytes: number;
  #clean: CleanRows;
  #names = new KnownNames();
  readonly #pinned = new Map<PinnedTable, Map<string, AnyRow>>();
  #changed: Layer = new Map();
  #flushing: Layer = new Map();
  #changedCount = 0;

  /** `maxCleanBytes` bounds the rows that are the same in the store; the others are bounded by their writer. */
  constructor(maxCleanBytes: number) {
    this.#maxCleanBytes = maxCleanBytes;
    this.#clean = new CleanRows(maxCleanBytes);
    for (const table of PINNED_TABLES) this.#pinned.set(table, new Map());
  }

  /** Rows changed since the last flush began. */
  get changedCount(): number {
    return this.#changedCount;
  }

  /** What the rows that are the same in the store weigh in memory, in bytes. */
  get cleanBytes(): number {
    return this.#clean.sizeBytes;
  }

  /** Never waits: UNKNOWN means the store must be asked. */
  get(table: TableName, key: string): KnownRow | typeof UNKNOWN {
    if (isPinned(table)) return this.pinned(table).get(key);
    const dirty = this.#changed.get(table)?.get(key) ?? this.#flushing.get(table)?.get(key);
    if (dirty !== undefined) return dirty.row;
    const clean = this.#clean.get(table, key);
    return clean === UNKNOWN && table === 'dirent' && this.#isNewName(key) ? undefined : clean;
  }

  /** All rows of a pinned table, in no order. */
  pinned(table: PinnedTable): ReadonlyMap<string, AnyRow> {
    return this.#pinned.get(table) as Map<string, AnyRow>;
  }

  /** Takes a row just read from the store. */
  remember(table: TableName, key: string, row: KnownRow): void {
    if (!isPinned(table)) this.#clean.set(table, key, row);
    else if (row !== undefined) this.#pinned.get(table)?.set(key, row);
  }

  /** Changes a row; undefined removes it. `isNew` claims that neither memory nor store has it. */
  change(table: TableName, key: string, row: KnownRow, isNew: boolean): void {
    let rows = this.#changed.get(table);
    if (rows === undefined) this.#changed.set(table, (rows = new Map()));
    const before = rows.get(key);
    if (table === 'dirent' && row !== undefined)
      this.#names.nameAdded(directoryOfDirent(key), nameOfDirent(key));
    if (isPinned(table)) {
      this.pinnedChanges++;
      if (row === undefined) this.#pinned.get(table)?.delete(key);
      else this.#pinned.get(table)?.set(key, row);
    }
    if (before === undefined && row === undefined && isNew) return;
    if (before === undefined) {
      rows.set(key, { row, isNew: isNew || this.#isAbsentInStore(table, key) });
      this.#changedCount++;
    } else if (row === undefined && before.isNew) {
      rows.delete(key);
      this.#changedCount--;
    } else {
      rows.set(key, { row, isNew: before.isNew });
    }
  }

  /** A directory with this key was just made: nobody has put anything into it yet. */
  directoryMade(key: string): void {
    this.#names.directoryMade(key);
  }

  /** Rows in [from, to) by `inRange` that differ from the store's; undefined stands for a removed one. */
  changesIn(table: TableName, inRange: (key: string) => boolean): Map<string, KnownRow> {
    const changes = new Map<string, KnownRow>();
    for (const layer of [this.#flushing, this.#changed])
      for (const [key, { row }] of layer.get(table) ?? []) if (inRange(key)) changes.set(key, row);
    return changes;
  }

  /** Sets the changed rows apart and gives them encoded. They stay visible; changes from now on belong to the next flush. */
  beginFlush(): RowChange[] {
    this.#flushing = this.#changed;
    this.#changed = new Map();
    this.#changedCount = 0;
    const changes: RowChange[] = [];
    for (const [table, rows] of this.#flushing)
      for (const [key, { row }] of rows)
        changes.push(row === undefined ? { table, key } : { table, key, value: encodeRow(table, row) });
    return changes;
  }

  /** The rows of beginFlush are durable: from now on they may be forgotten. */
  endFlush(): void {
    for (const [table, rows] of this.#flushing)
      if (!isPinned(table)) for (const [key, { row }] of rows) this.#clean.set(table, key, row);
    this.#flushing = new Map();
    this.flushes++;
  }

  /** Forgets everything: the store has been replaced. */
  clear(): void {
    this.counters = Counters.fromPartial({});
    this.#clean = new CleanRows(this.#maxCleanBytes);
    this.#names = new KnownNames();
    for (const rows of this.#pinned.values()) rows.clear();
    this.#changed = new Map();
    this.#flushing = new Map();
    this.#changedCount = 0;
    this.pinnedChanges++;
    this.flushes++;
  }

  #isNewName(key: string): boolean {
    return this.#names.isAbsent(directoryOfDirent(key), nameOfDirent(key));
  }

  #isAbsentInStore(table: TableName, key: string): boolean {
    if (isPinned(table) || this.#flushing.get(table)?.has(key)) return false;
    return this.#clean.get(table, key) === undefined;
  }
}
