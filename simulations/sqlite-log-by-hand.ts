/** @module A Raft log on SQLite and real files, over a disk that fails when it is told to. */
import { join } from 'node:path';
import type { Entry } from '../raft/types.ts';
import { silentLogger } from '../src/common/logger.ts';
import { LogMarker } from '../src/storage/log-marker.ts';
import { LogWindow } from '../src/storage/log-window.ts';
import { markerPath, openRaftLog } from '../src/storage/raft-log-file.ts';
import { LOG_FORMAT, loadLog } from '../src/storage/raft-log-rows.ts';
import { SqliteConnection } from '../src/storage/sqlite.ts';
import { SqliteRaftLog } from '../src/storage/sqlite-raft-log.ts';
import { FailingDatabase, FailingDisk, FailingMarker } from './failing-disk.ts';

export interface LogOnFailingDisk {
  readonly path: string;
  readonly disk: FailingDisk;
  readonly log: SqliteRaftLog;
}

/** A new log in `directory`. */
export async function logOnFailingDisk(directory: string): Promise<LogOnFailingDisk> {
  const path = join(directory, 'raft.db');
  const disk = new FailingDisk();
  const connection = await SqliteConnection.open(path, LOG_FORMAT);
  const { state, standing } = await loadLog(connection, path);
  const marker = await LogMarker.create(markerPath(path), standing);
  const log = new SqliteRaftLog(
    { connection: new FailingDatabase(connection, disk), marker: new FailingMarker(marker, disk) },
    { window: new LogWindow(state), sequence: standing.sequence },
  );
  return { path, disk, log };
}

/** As the node itself opens it at its next start. */
export function reopen(path: string): Promise<SqliteRaftLog> {
  return openRaftLog(path, { logger: silentLogger, mustExist: true });
}

/** Resolves when `entries` are durable. */
export function append(log: SqliteRaftLog, ...entries: readonly Entry[]): Promise<void> {
  return log.append({ entries, mustSync: true });
}
