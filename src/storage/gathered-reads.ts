/** @module Many callers' reads of single rows in few statements: while one read is under way, the next ones gather. */
import { selectKeys } from './bulk-sql.ts';
import type { TableName } from './row-store.ts';
import type { Sql } from './sql-database.ts';

type Values = ReadonlyMap<string, Uint8Array>;

interface Round {
  readonly keys: Set<string>;
  readonly values: Promise<Values>;
}

/** Per table one read under way, and one gathering. A read sees all that was committed before it was asked for. */
export class GatheredReads {
  readonly #sql: Sql;
  readonly #gathering = new Map<TableName, Round>();
  readonly #underWay = new Map<TableName, Promise<unknown>>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** The rows that exist among `keys`, and maybe others that were asked for at the same time. Errors are SQLite's own. */
  get(table: TableName, keys: readonly string[]): Promise<Values> {
    let round = this.#gathering.get(table);
    if (round === undefined) {
      round = this.#newRound(table);
      this.#gathering.set(table, round);
    }
    for (const key of keys) round.keys.add(key);
    return round.values;
  }

  #newRound(table: TableName): Round {
    const keys = new Set<string>();
    const before = this.#underWay.get(table) ?? Promise.resolve();
    const values = before.then(() => {
      this.#gathering.delete(table);
      return this.#read(table, keys);
    });
    // Whoever asked hears of a failure; the next round only needs to know that this one is over.
    const over: Promise<void> = values
      .then(nothing, nothing)
      .finally(() => this.#underWay.get(table) === over && this.#underWay.delete(table));
    this.#underWay.set(table, over);
    return { keys, values };
  }

  async #read(table: TableName, keys: ReadonlySet<string>): Promise<Values> {
    const rows = await selectKeys(this.#sql, `SELECT key, value FROM "${table}" WHERE key`, [...keys]);
    return new Map(rows.map((row) => [row['key'] as string, row['value'] as Uint8Array]));
  }
}

function nothing(): void {}
