/** @module A memory of rows as the store has them, bounded in bytes: shards of two generations, the older one dropped whole. */
import type { TableName } from '../storage/row-store.ts';
import { weighRow } from './row-weight.ts';
import type { AnyRow } from './rows.ts';

/** Returned where nothing is known about a row; `undefined` means the row is known to be absent. */
export const UNKNOWN: unique symbol = Symbol('unknown row');
export type KnownRow = AnyRow | undefined;

type Generation = Map<TableName, Map<string, KnownRow>>;

/** A map of a million rows stops the process for 50 ms and more whenever it grows; maps of this many bytes do not. */
const SHARD_BYTES: number = 512 * 1024;
const MAX_SHARDS = 1024;

export class CleanRows {
  readonly #shards: readonly Shard[];

  /** `maxBytes`: what all rows together weigh at most (row-weight.ts), except that a shard holds at least one row. */
  constructor(maxBytes: number) {
    const count = Math.min(Math.max(1, Math.floor(maxBytes / SHARD_BYTES)), MAX_SHARDS);
    this.#shards = Array.from({ length: count }, () => new Shard(maxBytes / count));
  }

  get(table: TableName, key: string): KnownRow | typeof UNKNOWN {
    return this.#shardOf(key).get(table, key);
  }

  set(table: TableName, key: string, row: KnownRow): void {
    this.#shardOf(key).set(table, key, row);
  }

  /** What the rows in memory weigh, in bytes. */
  get sizeBytes(): number {
    return this.#shards.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  #shardOf(key: string): Shard {
    const { length } = this.#shards;
    return this.#shards[length === 1 ? 0 : hashOf(key) % length] as Shard;
  }
}

/**
 * A row used while it is in the old generation moves to the young one; when the young one is full it becomes the
 * old one. Thus what was used lately stays, and nothing is sorted.
 */
class Shard {
  readonly #halfBytes: number;
  #young: Generation = new Map();
  #old: Generation = new Map();
  #youngBytes = 0;
  #oldBytes = 0;

  constructor(maxBytes: number) {
    this.#halfBytes = maxBytes / 2;
  }

  get sizeBytes(): number {
    return this.#youngBytes + this.#oldBytes;
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
    const bytes = weighRow(table, key, row);
    this.#forgetOld(table, key);
    let rows = this.#young.get(table);
    // Replaced in its place: to delete it first and add it anew took half as long again.
    let replacedBytes = rows?.has(key) ? weighRow(table, key, rows.get(key)) : 0;
    if (this.#youngBytes - replacedBytes + bytes > this.#halfBytes) {
      rows?.delete(key);
      this.#youngBytes -= replacedBytes;
      replacedBytes = 0;
      this.#age();
      rows = undefined;
    }
    if (rows === undefined) this.#young.set(table, (rows = new Map()));
    rows.set(key, row);
    this.#youngBytes += bytes - replacedBytes;
  }

  #age(): void {
    this.#old = this.#young;
    this.#oldBytes = this.#youngBytes;
    this.#young = new Map();
    this.#youngBytes = 0;
  }

  #forgetOld(table: TableName, key: string): void {
    const rows = this.#old.get(table);
    if (!rows?.has(key)) return;
    this.#oldBytes -= weighRow(table, key, rows.get(key));
    rows.delete(key);
  }
}

/** FNV-1a over the whole key: names often share their first and their last letters. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
