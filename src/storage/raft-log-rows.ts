/** @module The rows of a Raft log in SQLite: how they are written, and how they are checked when read back. */
import type { ConfState, Entry, EntryType, HardState, Index, Snapshot } from '../../raft/types.ts';
import { utf8 } from '../common/bytes.ts';
import { assert } from '../common/errors.ts';
import { crc32c } from '../common/hashing.ts';
import { insertion, insertions } from './bulk-sql.ts';
import { corruptLog } from './errors.ts';
import type { LogStanding } from './log-mark.ts';
import { EMPTY_LOG, type LogPosition, type LogState } from './log-window.ts';
import type { Sql } from './sql-database.ts';
import type { SqlStatement } from './sql-script.ts';
import type { SqliteOptions } from './sqlite-format.ts';
import type { SqlRow, SqlValue } from './sql-value.ts';

export const LOG_FORMAT: SqliteOptions = {
  format: 2,
  schema: [
    'CREATE TABLE entries (idx INTEGER PRIMARY KEY, term INTEGER NOT NULL, type INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL)',
    'CREATE TABLE hard_state (id INTEGER PRIMARY KEY CHECK (id = 1), term INTEGER NOT NULL, vote INTEGER NOT NULL, commit_idx INTEGER NOT NULL, crc INTEGER NOT NULL, sequence INTEGER NOT NULL DEFAULT 0, last_idx INTEGER NOT NULL DEFAULT 0, last_term INTEGER NOT NULL DEFAULT 0)',
    'CREATE TABLE snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), idx INTEGER NOT NULL, term INTEGER NOT NULL, conf_state TEXT NOT NULL, base_idx INTEGER NOT NULL, base_term INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL)',
  ],
  pragmas: ['temp_store = MEMORY'],
  temporary: [
    'CREATE TEMP VIEW appends AS SELECT idx, term, type, crc, data, 0 AS now_term, 0 AS now_vote, 0 AS now_commit, 0 AS now_sequence, 0 AS now_last_idx, 0 AS now_last_term, 0 AS now_crc FROM entries',
    'CREATE TEMP TRIGGER append INSTEAD OF INSERT ON appends BEGIN INSERT INTO entries (idx, term, type, crc, data) VALUES (NEW.idx, NEW.term, NEW.type, NEW.crc, NEW.data); INSERT OR REPLACE INTO hard_state (id, term, vote, commit_idx, sequence, last_idx, last_term, crc) VALUES (1, NEW.now_term, NEW.now_vote, NEW.now_commit, NEW.now_sequence, NEW.now_last_idx, NEW.now_last_term, NEW.now_crc); END',
  ],
  upgrades: {
    1: ['sequence', 'last_idx', 'last_term'].map(
      (column) => `ALTER TABLE hard_state ADD COLUMN ${column} INTEGER NOT NULL DEFAULT 0`,
    ),
  },
};

export interface LoadedLog {
  readonly state: LogState;
  readonly standing: LogStanding;
}

/** More than this are rare, and each of them would write the standing anew. */
export const MAX_APPENDED_TOGETHER = 16;
/** By the number of entries, which go in with one row each: what is written for each entry, and then for the standing. */
const APPENDS: readonly string[] = Array.from({ length: MAX_APPENDED_TOGETHER + 1 }, (_, entries) =>
  insertion('INSERT INTO appends', entries, 12),
);
/** Position in this list is the number on disk: append only. */
const ENTRY_TYPES: readonly EntryType[] = ['EntryNormal', 'EntryConfChange', 'EntryConfChangeV2'];
/** Rows of one read while a log is loaded. */
const LOAD_PAGE_ROWS = 256;

export function entryInsertions(entries: readonly Entry[]): SqlStatement[] {
  return insertions('INSERT INTO entries (idx, term, type, crc, data)', entries.map(entryRow));
}

/** Part of every transaction: where the log stands after it, so that a lost tail or head shows without its neighbours. */
export function standingChange(standing: LogStanding, commit: Index): SqlStatement {
  return {
    text: 'INSERT OR REPLACE INTO hard_state (id, term, vote, commit_idx, sequence, last_idx, last_term, crc) VALUES (1, ?, ?, ?, ?, ?, ?, ?)',
    values: standingRow(standing, commit),
  };
}

/**
 * Both of a few entries, at most MAX_APPENDED_TOGETHER, with one prepared statement: the usual write of a log, at a third of what
 * two statements in a transaction cost.
 */
export function appendChange(entries: readonly Entry[], standing: LogStanding, commit: Index): SqlStatement {
  const after = standingRow(standing, commit);
  const text = APPENDS[entries.length];
  assert(text !== undefined, `${entries.length} entries are appended together`);
  return { text, values: entries.flatMap((entry) => [...entryRow(entry), ...after]) };
}

function entryRow(entry: Entry): SqlValue[] {
  const type = ENTRY_TYPES.indexOf(entry.type);
  return [entry.index, entry.term, type, entryCrc(entry), entry.data];
}

function standingRow({ sequence, term, vote, lastIndex, lastTerm }: LogStanding, commit: Index): SqlValue[] {
  const values = [term, vote, commit, sequence, lastIndex, lastTerm];
  return [...values, numbersCrc(values)];
}

export function snapshotChange(snapshot: Snapshot, base: LogPosition): SqlStatement {
  const { index, term } = snapshot.metadata;
  const confState = JSON.stringify(snapshot.metadata.confState);
  const crc = snapshotCrc([index, term, base.index, base.term], confState, snapshot.data);
  return {
    text: 'INSERT OR REPLACE INTO snapshot (id, idx, term, conf_state, base_idx, base_term, crc, data) VALUES (1, ?, ?, ?, ?, ?, ?, ?)',
    values: [index, term, confState, base.index, base.term, crc, snapshot.data],
  };
}

/**
 * Reads a whole log and checks it: every CRC, no gap, terms that never fall, and a commit index that is in the log.
 * Anything wrong is STORAGE_CORRUPT_LOG, also in the last entry. There is no torn tail to cut here: SQLite cuts a
 * transaction that was half written, and only whole ones were acknowledged. A row that fails its CRC has been
 * acknowledged and rotted since, and a node that forgets it could vote away a committed entry.
 */
export async function loadLog(sql: Sql, path: string): Promise<LoadedLog> {
  const tail = await loadTail(sql, path);
  const { snapshot, base } = await loadSnapshot(sql, path);
  const entries = await loadEntries(sql, path, base);
  const { index, term } = entries.at(-1) ?? base;
  const { hardState, sequence } = tail;
  // What a transaction of format 1 wrote says nothing of the log's end.
  const written = sequence === 0 ? { index, term } : tail.last;
  if (index !== written.index || term !== written.term)
    throw corruptLog(
      path,
      `it ends at ${index} of term ${term}, but was written up to ${written.index} of term ${written.term}`,
    );
  if (hardState.commit > index)
    throw corruptLog(path, `it ends at ${index}, but entries up to ${hardState.commit} were committed`);
  const promised = { term: hardState.term, vote: hardState.vote };
  const standing = { ...promised, sequence, lastIndex: index, lastTerm: term };
  return { state: { hardState, snapshot, base, entries }, standing };
}

interface Tail {
  readonly hardState: HardState;
  readonly sequence: number;
  readonly last: LogPosition;
}

async function loadTail(sql: Sql, path: string): Promise<Tail> {
  const [row] = await sql.all('SELECT * FROM hard_state');
  if (row === undefined) return { hardState: EMPTY_LOG.hardState, sequence: 0, last: EMPTY_LOG.base };
  const [term, vote, commit] = [number(row, 'term'), number(row, 'vote'), number(row, 'commit_idx')];
  const sequence = number(row, 'sequence');
  const last = { index: number(row, 'last_idx'), term: number(row, 'last_term') };
  const position = sequence === 0 ? [] : [sequence, last.index, last.term];
  if (numbersCrc([term, vote, commit, ...position]) !== row['crc'])
    throw corruptLog(path, 'the vote and the term have a bad checksum');
  return { hardState: { term, vote, commit }, sequence, last };
}

async function loadSnapshot(sql: Sql, path: string): Promise<Pick<LogState, 'snapshot' | 'base'>> {
  const [row] = await sql.all('SELECT * FROM snapshot');
  if (row === undefined) return EMPTY_LOG;
  const [index, term] = [number(row, 'idx'), number(row, 'term')];
  const base = { index: number(row, 'base_idx'), term: number(row, 'base_term') };
  const confState = String(row['conf_state']);
  const data = bytes(row, 'data', path);
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
    data: bytes(row, 'data', path),
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

/** NaN, which no checksum was made of, where rot has turned the column into something else. */
function number(row: SqlRow, column: string): number {
  const value = row[column];
  return typeof value === 'number' ? value : Number.NaN;
}

/** One bit in the head of SQLite's record makes text of a blob, whose characters still have the right checksum. */
function bytes(row: SqlRow, column: string, path: string): Uint8Array {
  const value = row[column];
  if (value instanceof Uint8Array) return value;
  throw corruptLog(path, `a value of column ${column} is no longer bytes`);
}
