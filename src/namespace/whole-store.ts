/** @module What takes in all rows of a table at once: loading the pinned tables, and the hash over everything. */
import { toHex, utf8 } from '../common/bytes.ts';
import { sha256Stream } from '../common/hashing.ts';
import { type PinnedRows, type Row, type RowStore, type TableName, TABLES } from '../storage/row-store.ts';
import { END_OF_TABLE } from './keys.ts';
import type { RowCache } from './row-cache.ts';
import { decodeRow, META_CLUSTER, META_CONF_STATE, META_COUNTERS } from './rows.ts';
import { Counters } from './schema.ts';

const ROWS_A_READ = 1000;

/** Starts the cache anew from the pinned tables and the counters of the store; gives Raft's membership, if any. */
export async function loadPinnedRows(store: RowStore, cache: RowCache): Promise<Uint8Array | undefined> {
  const [cluster, counters, confState] = await store.getMany('meta', [
    META_CLUSTER,
    META_COUNTERS,
    META_CONF_STATE,
  ]);
  const members = await allRows(store, 'member');
  const tokens = await allRows(store, 'token');
  // In one step, so that nobody ever sees a cluster without its members.
  cache.clear();
  if (counters !== undefined) cache.counters = Counters.decode(counters);
  if (cluster !== undefined) cache.remember('meta', META_CLUSTER, decodeRow('meta', cluster));
  for (const { key, value } of members) cache.remember('member', key, decodeRow('member', value));
  for (const { key, value } of tokens) cache.remember('token', key, decodeRow('token', value));
  return confState;
}

/** SHA-256, in hex, over the name of each table and the lengths and bytes of its keys and values, in order. */
export async function hashRows(store: PinnedRows): Promise<string> {
  const hash = sha256Stream();
  for (const table of TABLES) {
    hash.update(utf8(`${table}\n`));
    for await (const { key, value } of rowsOf(store, table)) {
      const keyBytes = utf8(key);
      hash.update(utf8(`${keyBytes.length} ${value.length}\n`));
      hash.update(keyBytes);
      hash.update(value);
    }
  }
  return toHex(hash.digest());
}

async function allRows(store: RowStore, table: TableName): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of rowsOf(store, table)) rows.push(row);
  return rows;
}

async function* rowsOf(store: Pick<RowStore, 'scan'>, table: TableName): AsyncGenerator<Row> {
  for (let from = ''; ; ) {
    const rows = await store.scan(table, from, END_OF_TABLE, ROWS_A_READ);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_A_READ) return;
    from = `${last.key}\0`;
  }
}
