/** @module A bounded memory of rows as the store has them: two generations, the older one dropped whole. */
import type { TableName } from '../storage/row-store.ts';
import { type AnyRow, weighRow } from './rows.ts';

/** Returned where nothing is known about a row; `undefined` means the row is known to be absent. */
export const UNKNOWN: unique symbol = Symbol('unknown row');
export type KnownRow = AnyRow | undefined;

type Generation = Map<TableName, Map<string, KnownRow>>;

/**
 * A row used while it is in the old generation moves to the young one; when the young one is full it becomes the
 * old one. Thus what was used lately stays, and nothing is sorted.
 */
export class CleanRows {
  readonly #halfWeight: number;
  #young: Generation = new Map();
  #old: Generation = new Map();
  #youngWeight = 0;

  /** `maxWeight`: small rows kept at most, over both generations. */
  constructor(maxWeight: number) {
    this.#halfWeight = Math.max(1, Math.floor(maxWeight / 2));
  }

  get(table: TableName, key: string): KnownRow | typeof UNKNOWN {
    const young = this.#young.get(table);
    const row = young?.get(key);
    if (row !== undefined || young?.has(key)) return row;
    const old = this.#old.get(table);
    if (!old?.has(key)) return UNKNOWN;
    const found = old.get(key);
    this.set(table, key, found);
    return found;
  }

  set(table: TableName, key: string, row: KnownRow): void {
    if (this.#youngWeight >= this.#halfWeight) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngWeight = 0;
    }
    let rows = this.#young.get(table);
    if (rows === undefined) this.#young.set(table, (rows = new Map()));
    if (!rows.has(key)) this.#youngWeight += weighRow(table, row);
    rows.set(key, row);
  }
}
