/** @module Opening the Raft log of a node: what is on disk is judged before anything of it is touched. */
import { rename, stat } from 'node:fs/promises';
import { isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { isSystemError, syncFile } from './durable-file.ts';
import { corruptLog, lostLog, lostMarker, storageFailed } from './errors.ts';
import { checkAgainst } from './log-judgement.ts';
import type { LogStanding } from './log-mark.ts';
import { LogMarker } from './log-marker.ts';
import { LogWindow } from './log-window.ts';
import { LOG_FORMAT, loadLog, type LoadedLog } from './raft-log-rows.ts';
import { formatOf } from './sqlite-format.ts';
import { isSqliteError } from './sqlite-error.ts';
import { SqliteConnection } from './sqlite.ts';
import { SqliteRaftLog } from './sqlite-raft-log.ts';

export interface OpenRaftLogOptions {
  readonly logger: Logger;
  /** The node had a log before: none at all is a loss (STORAGE_LOST_LOG), not a beginning. */
  readonly mustExist?: boolean;
  /**
   * Opens a log although the marker says that it once held more, or is gone: for `cluster recover`, where a person
   * decides. Only the first write makes the log acceptable to a node again. One that is damaged in itself is refused.
   */
  readonly acceptLoss?: boolean;
}

/** Beside `raft.db`, and nowhere SQLite looks. */
const MARKER_SUFFIX = '.mark';
/** SQLite's name for the write-ahead log. */
const WAL_SUFFIX = '-wal';
/** Of SQLite's errors, those that speak of the disk or the process and not of what the file holds. */
const ENVIRONMENT_CODES = [
  'SQLITE_IOERR',
  'SQLITE_FULL',
  'SQLITE_BUSY',
  'SQLITE_LOCKED',
  'SQLITE_CANTOPEN',
  'SQLITE_PERM',
  'SQLITE_READONLY',
  'SQLITE_NOMEM',
];

export function markerPath(logPath: string): string {
  return `${logPath}${MARKER_SUFFIX}`;
}

/**
 * Opens or creates the log in the SQLite file at `path`, and its marker beside it; their directory must exist. A log that
 * is refused is left as it was found, its WAL too, since it is read through a connection that cannot write.
 *
 * A transaction cut short by the end of the process or the power was acknowledged to nobody, and is simply not there.
 * Everything else that is missing or different is refused, and the node must not vote with what is left:
 * STORAGE_CORRUPT_LOG (a checksum, a gap, no database; of the marker: both slots), STORAGE_LOG_BEHIND (whole, but it ends
 * before what was acknowledged: rot that SQLite took for a torn tail), STORAGE_LOST_LOG, STORAGE_LOST_MARKER (the log is
 * there, but nothing says how far it went). Also STORAGE_NOT_DURABLE, STORAGE_WRONG_FORMAT, STORAGE_FAILED.
 */
export async function openRaftLog(path: string, options: OpenRaftLogOptions): Promise<SqliteRaftLog> {
  try {
    return await open(path, options);
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function open(path: string, options: OpenRaftLogOptions): Promise<SqliteRaftLog> {
  const marker = await openMarker(markerPath(path), options);
  try {
    const sizeBytes = await sizeOf(path);
    if (sizeBytes === undefined && (options.mustExist === true || marker !== undefined)) throw lostLog(path);
    // SQLite takes an empty file for a new database and throws away the WAL beside it.
    if (sizeBytes === 0 && marker !== undefined) throw corruptLog(path, 'the file is empty');
    if (sizeBytes !== undefined && sizeBytes > 0) await judge(path, marker?.standing, options);
    return await openJudged(path, marker, options);
  } catch (error) {
    await marker?.close();
    throw error;
  }
}

/** Who accepts a loss goes on without a marker that cannot be read; it is kept under another name. */
async function openMarker(path: string, { acceptLoss }: OpenRaftLogOptions): Promise<LogMarker | undefined> {
  try {
    return await LogMarker.open(path);
  } catch (error) {
    if (acceptLoss !== true || !isHoldfastError(error, 'STORAGE_CORRUPT_LOG')) throw error;
    await rename(path, `${path}.damaged`);
    return undefined;
  }
}

/** Reads the whole log without writing a byte, and compares it with the marker. */
async function judge(
  path: string,
  marked: LogStanding | undefined,
  { acceptLoss }: OpenRaftLogOptions,
): Promise<void> {
  const reader = await SqliteConnection.openReader(path);
  try {
    // An older format is brought up to date first; it never had a marker.
    if ((await formatOf(reader)) !== LOG_FORMAT.format && marked === undefined) return;
    const { standing } = await loadLog(reader, path);
    if (acceptLoss === true) return;
    if (marked === undefined) {
      if (standing.sequence > 0) throw lostMarker(path);
    } else checkAgainst(path, standing, marked);
  } finally {
    await reader.close();
  }
}

async function openJudged(
  path: string,
  marker: LogMarker | undefined,
  options: OpenRaftLogOptions,
): Promise<SqliteRaftLog> {
  const connection = await SqliteConnection.open(path, LOG_FORMAT);
  try {
    await syncLog(path);
    const { state, standing }: LoadedLog = await loadLog(connection, path);
    const marked = marker ?? (await LogMarker.create(markerPath(path), firstMark(standing, options)));
    const window = new LogWindow(state);
    options.logger.info('raft log opened', {
      path,
      firstIndex: window.firstIndex(),
      lastIndex: window.lastIndex(),
      retainedBytes: window.retainedBytes,
      sequence: standing.sequence,
      aheadOfMarker: standing.sequence - marked.standing.sequence,
      isCopy: marked.isCopy,
    });
    return new SqliteRaftLog({ connection, marker: marked }, { window, sequence: standing.sequence });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/**
 * A process that ended between a write and its fsync has left a transaction in the kernel's memory alone. It is read like any
 * other, and the node acts upon it with no further write: it repeats a vote, or counts an entry as one it has.
 */
async function syncLog(path: string): Promise<void> {
  for (const file of [path, `${path}${WAL_SUFFIX}`])
    if ((await sizeOf(file)) !== undefined) await syncFile(file);
}

/** Of a log that had one before: as if one write more had been acknowledged, so that looking at it makes nothing good. */
function firstMark(standing: LogStanding, { acceptLoss }: OpenRaftLogOptions): LogStanding {
  const isReplaced = acceptLoss === true && standing.sequence > 0;
  return isReplaced ? { ...standing, sequence: standing.sequence + 1 } : standing;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function unreadable(path: string, error: unknown): unknown {
  if (isHoldfastError(error)) return error;
  if (isSqliteError(error) && !ENVIRONMENT_CODES.some((code) => isSqliteError(error, code)))
    return corruptLog(path, String(error));
  return storageFailed('open the Raft log', path, error);
}
