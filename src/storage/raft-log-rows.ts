/** @module The rows of a Raft log in SQLite: how they are written, and how they are checked when read back. */
import type { ConfState, Entry, EntryType, HardState, Snapshot } from '../../raft/types.ts';
import { utf8 } from '../common/bytes.ts';
import { crc32c } from '../common/hashing.ts';
import { insertRows } from './bulk-sql.ts';
import { corruptLog } from './errors.ts';
import { EMPTY_LOG, type LogPosition, type LogState } from './log-window.ts';
import type { Sql, SqliteOptions, SqlRow } from './sqlite.ts';

export const LOG_FORMAT: SqliteOptions = {
  format: 1,
  schema: [
    'CREATE TABLE entries (idx INTEGER PRIMARY KEY, term INTEGER NOT NULL, type INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL)',
    'CREATE TABLE hard_state (id INTEGER PRIMARY KEY CHECK (id = 1), term INTEGER NOT NULL, vote INTEGER NOT NULL, commit_idx INTEGER NOT NULL, crc INTEGER NOT NULL)',
    'CREATE TABLE snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), idx INTEGER NOT NULL, term INTEGER NOT NULL, conf_state TEXT NOT NULL, base_idx INTEGER NOT NULL, base_term INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL)',
  ],
};

/** Position in this list is the number on disk: append only. */
const ENTRY_TYPES: readonly EntryType[] = ['EntryNormal', 'EntryConfChange', 'EntryConfChangeV2'];
/** Rows of one read while a log is loaded. */
const LOAD_PAGE_ROWS = 256;

export async function insertEntries(sql: Sql, entries: readonly Entry[]): Promise<void> {
  const rows = entries.map((entry) => {
    const type = ENTRY_TYPES.indexOf(entry.type);
    return [entry.index, entry.term, type, entryCrc(entry), entry.data];
  });
  await insertRows(sql, 'INSERT INTO entries (idx, term, type, crc, data)', rows);
}

export async function saveHardState(sql: Sql, hardState: HardState): Promise<void> {
  const { term, vote, commit } = hardState;
  await sql.run(
    'INSERT OR REPLACE INTO hard_state (id, term, vote, commit_idx, crc) VALUES (1, ?, ?, ?, ?)',
    [term, vote, commit, numbersCrc([term, vote, commit])],
  );
}

export async function saveSnapshot(sql: Sql, snapshot: Snapshot, base: LogPosition): Promise<void> {
  const { index, term } = snapshot.metadata;
  const confState = JSON.stringify(snapshot.metadata.confState);
  const crc = snapshotCrc([index, term, base.index, base.term], confState, snapshot.data);
  await sql.run(
    'INSERT OR REPLACE INTO snapshot (id, idx, term, conf_state, base_idx, base_term, crc, data) VALUES (1, ?, ?, ?, ?, ?, ?, ?)',
    [index, term, confState, base.index, base.term, crc, snapshot.data],
  );
}

/**
 * Reads a whole log and checks it: every CRC, no gap, terms that never fall, and a commit index that is in the log.
 * Anything wrong is STORAGE_CORRUPT_LOG, also in the last entry. There is no torn tail to cut here: SQLite cuts a
 * transaction that was half written, and only whole ones were acknowledged. A row that fails its CRC has been
 * acknowledged and rotted since, and a node that forgets it could vote away a committed entry.
 */
export async function loadLog(sql: Sql, path: string): Promise<LogState> {
  const hardState = await loadHardState(sql, path);
  const { snapshot, base } = await loadSnapshot(sql, path);
  const entries = await loadEntries(sql, path, base);
  const last = base.index + entries.length;
  if (hardState.commit > last)
    throw corruptLog(path, `it ends at ${last}, but entries up to ${hardState.commit} were committed`);
  return { hardState, snapshot, base, entries };
}

async function loadHardState(sql: Sql, path: string): Promise<HardState> {
  const [row] = await sql.all('SELECT term, vote, commit_idx, crc FROM hard_state');
  if (row === undefined) return EMPTY_LOG.hardState;
  const [term, vote, commit] = [number(row, 'term'), number(row, 'vote'), number(row, 'commit_idx')];
  if (numbersCrc([term, vote, commit]) !== row['crc'])
    throw corruptLog(path, 'the vote and the term have a bad checksum');
  return { term, vote, commit };
}

async function loadSnapshot(sql: Sql, path: string): Promise<Pick<LogState, 'snapshot' | 'base'>> {
  const [row] = await sql.all('SELECT * FROM snapshot');
  if (row === undefined) return EMPTY_LOG;
  const [index, term] = [number(row, 'idx'), number(row, 'term')];
  const base = { index: number(row, 'base_idx'), term: number(row, 'base_term') };
  const confState = String(row['conf_state']);
  const data = row['data'] as Uint8Array;
  if (snapshotCrc([index, term, base.index, base.term], confState, data) !== row['crc'])
    throw corruptLog(path, 'the snapshot record has a bad checksum');
  return {
    snapshot: { metadata: { index, term, confState: JSON.parse(confState) as ConfState }, data },
    base,
  };
}

async function loadEntries(sql: Sql, path: string, base: LogPosition): Promise<Entry[]> {
  const entries: Entry[] = [];
  let previous = base;
  for (;;) {
    const rows = await sql.all(
      'SELECT idx, term, type, crc, data FROM entries WHERE idx > ? ORDER BY idx LIMIT ?',
      [previous.index, LOAD_PAGE_ROWS],
    );
    for (const row of rows) {
      previous = checkedEntry(row, previous, path);
      entries.push(previous as Entry);
    }
    if (rows.length < LOAD_PAGE_ROWS) return entries;
  }
}

function checkedEntry(row: SqlRow, previous: LogPosition, path: string): Entry {
  const index = number(row, 'idx');
  if (index !== previous.index + 1)
    throw corruptLog(path, `entries ${previous.index + 1} to ${index - 1} are missing`);
  const type = ENTRY_TYPES[number(row, 'type')];
  const entry = {
    index,
    term: number(row, 'term'),
    type: type ?? 'EntryNormal',
    data: row['data'] as Uint8Array,
  };
  if (type === undefined || entryCrc(entry) !== row['crc'])
    throw corruptLog(path, `entry ${index} has a bad checksum`);
  if (entry.term < previous.term)
    throw corruptLog(path, `entry ${index} has term ${entry.term} after term ${previous.term}`);
  return entry;
}

/** CRC32C over index, term, type and data. */
function entryCrc(entry: Entry): number {
  const header = numbersCrc([entry.index, entry.term, ENTRY_TYPES.indexOf(entry.type)]);
  return crc32c(entry.data, header);
}

function snapshotCrc(numbers: readonly number[], confState: string, data: Uint8Array): number {
  return crc32c(data, crc32c(utf8(confState), numbersCrc(numbers)));
}

function numbersCrc(numbers: readonly number[]): number {
  return crc32c(new Uint8Array(Float64Array.from(numbers).buffer));
}

function number(row: SqlRow, column: string): number {
  return row[column] as number;
}
