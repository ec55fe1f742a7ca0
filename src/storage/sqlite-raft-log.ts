/** @module The Raft log on SQLite: reads from memory, one durable transaction for all writes that arrive together. */
import type { ConfState, Entry, HardState, Index, Snapshot, Term } from '../../raft/types.ts';
import { assert, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { corruptLog, FailureLatch, logNotEmpty, storageClosed, storageFailed } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { foldChanges } from './log-batch.ts';
import { assertFollows, type LogChange, type LogPosition, LogWindow } from './log-window.ts';
import { bootstrapChange } from './memory-raft-log.ts';
import type { LogWrite, RaftLogStore } from './raft-log-store.ts';
import { insertEntries, loadLog, LOG_FORMAT, saveHardState, saveSnapshot } from './raft-log-rows.ts';
import { isSqliteError, SqliteConnection, type Sql } from './sqlite.ts';

/** Appends of one transaction, at most. */
const MAX_GROUPED_WRITES = 1024;

interface QueuedChange {
  readonly change: LogChange;
  readonly mustSync: boolean;
}

/**
 * Opens or creates the log in the SQLite file at `path`; its directory must exist.
 * Errors: STORAGE_CORRUPT_LOG (see loadLog), STORAGE_NOT_DURABLE, STORAGE_WRONG_FORMAT, STORAGE_FAILED.
 */
export async function openRaftLog(
  path: string,
  options: { readonly logger: Logger },
): Promise<SqliteRaftLog> {
  const connection = await connect(path);
  try {
    const window = new LogWindow(await loadLog(connection, path));
    options.logger.info('raft log opened', {
      path,
      firstIndex: window.firstIndex(),
      lastIndex: window.lastIndex(),
      retainedBytes: window.retainedBytes,
    });
    return new SqliteRaftLog(connection, window);
  } catch (error) {
    await connection.close();
    throw unreadable(path, error);
  }
}

/**
 * A write with mustSync = false moves nothing but the commit index. It waits in memory for the next transaction (or
 * close), because an fsync of its own would halve the throughput and Raft §5.2 does not need the commit index durable.
 */
export class SqliteRaftLog implements RaftLogStore {
  readonly #connection: SqliteConnection;
  readonly #window: LogWindow;
  readonly #latch = new FailureLatch();
  readonly #commits: GroupCommit<QueuedChange>;
  #hardStateWaits = false;
  #closed = false;

  constructor(connection: SqliteConnection, window: LogWindow) {
    this.#connection = connection;
    this.#window = window;
    this.#commits = new GroupCommit((queued) => this.#write(queued), {
      path: connection.path,
      maxItems: MAX_GROUPED_WRITES,
    });
  }

  /** Transactions so far, each of them one fsync. */
  get transactionCount(): number {
    return this.#connection.transactionCount;
  }

  append(write: LogWrite): Promise<void> {
    return this.#queue({ change: { kind: 'append', ...write }, mustSync: write.mustSync });
  }

  async compact(snapshot: Snapshot, upTo: Index): Promise<void> {
    assert(upTo <= snapshot.metadata.index, `compaction to ${upTo} is covered by the snapshot`);
    await this.#queue({ change: { kind: 'compact', snapshot, upTo }, mustSync: true });
  }

  async bootstrap(confState: ConfState, hardState: HardState, entries: readonly Entry[]): Promise<void> {
    if (!this.isEmpty()) throw logNotEmpty(this.#connection.path);
    await this.#queue({ change: bootstrapChange(confState, hardState, entries), mustSync: true });
  }

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return this.#window.initialState();
  }

  entries(lo: Index, hi: Index, maxSizeBytes: number): Entry[] {
    return this.#window.entries(lo, hi, maxSizeBytes);
  }

  term(i: Index): Term {
    return this.#window.term(i);
  }

  firstIndex(): Index {
    return this.#window.firstIndex();
  }

  lastIndex(): Index {
    return this.#window.lastIndex();
  }

  snapshot(): Snapshot {
    return this.#window.snapshot();
  }

  retainedBytes(): number {
    return this.#window.retainedBytes;
  }

  isEmpty(): boolean {
    return this.#window.isEmpty;
  }

  /** Writes what still waits, then closes the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#commits.idle();
    try {
      if (this.#hardStateWaits && !this.#latch.failed)
        await this.#transaction({ kind: 'append', entries: [] });
    } finally {
      await this.#connection.close();
    }
  }

  async #queue(queued: QueuedChange): Promise<void> {
    this.#latch.check();
    if (this.#closed) throw storageClosed(this.#connection.path);
    await this.#commits.add(queued);
  }

  async #write(queued: readonly QueuedChange[]): Promise<void> {
    if (queued.every((one) => this.#mayWait(one))) return this.#holdBack(queued);
    for (const change of foldChanges(queued.map((one) => one.change))) await this.#transaction(change);
  }

  /** Only a bare commit index may wait, whatever the caller says of it. */
  #mayWait({ change, mustSync }: QueuedChange): boolean {
    if (mustSync || change.kind === 'compact') return false;
    if (change.entries.length > 0 || change.snapshot !== undefined) return false;
    const { term, vote } = this.#window.initialState().hardState;
    const wanted = change.hardState;
    return wanted === undefined || (wanted.term === term && wanted.vote === vote);
  }

  #holdBack(queued: readonly QueuedChange[]): void {
    for (const { change } of queued) this.#window.apply(change);
    this.#hardStateWaits = true;
  }

  async #transaction(change: LogChange): Promise<void> {
    this.#latch.check();
    if (this.#isOutdated(change)) return;
    try {
      await this.#connection.transaction((sql) => this.#writeChange(sql, change));
      this.#window.apply(change);
    } catch (cause) {
      throw this.#latch.fail('write the Raft log', this.#connection.path, cause);
    }
    this.#hardStateWaits = false;
  }

  /** A compaction that was asked for before a newer snapshot arrived from the leader. */
  #isOutdated(change: LogChange): boolean {
    if (change.kind !== 'compact') return false;
    return change.snapshot.metadata.index < this.#window.storedSnapshot.metadata.index;
  }

  async #writeChange(sql: Sql, change: LogChange): Promise<void> {
    const held = this.#hardStateWaits ? this.#window.initialState().hardState : undefined;
    if (change.kind === 'compact') await this.#writeCompaction(sql, change.snapshot, change.upTo);
    else await this.#writeAppend(sql, change);
    const hardState = (change.kind === 'append' ? change.hardState : undefined) ?? held;
    if (hardState !== undefined) await saveHardState(sql, hardState);
  }

  async #writeAppend(sql: Sql, change: LogChange & { kind: 'append' }): Promise<void> {
    let base: LogPosition = this.#window.base;
    let last = this.#window.lastIndex();
    if (change.snapshot !== undefined) {
      const { index, term } = change.snapshot.metadata;
      base = { index, term };
      last = index;
      await sql.run('DELETE FROM entries');
      await saveSnapshot(sql, change.snapshot, base);
    }
    const first = change.entries[0];
    if (first === undefined) return;
    assertFollows(change.entries, base.index, last);
    if (first.index <= last) await sql.run('DELETE FROM entries WHERE idx >= ?', [first.index]);
    await insertEntries(sql, change.entries);
  }

  async #writeCompaction(sql: Sql, snapshot: Snapshot, upTo: Index): Promise<void> {
    const { base } = this.#window;
    const moves = upTo > base.index;
    const next: LogPosition = moves ? { index: upTo, term: this.#window.term(upTo) } : base;
    await saveSnapshot(sql, snapshot, next);
    if (moves) await sql.run('DELETE FROM entries WHERE idx <= ?', [upTo]);
  }
}

async function connect(path: string): Promise<SqliteConnection> {
  try {
    return await SqliteConnection.open(path, LOG_FORMAT);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): unknown {
  if (isHoldfastError(error)) return error;
  if (isSqliteError(error, 'SQLITE_CORRUPT') || isSqliteError(error, 'SQLITE_NOTADB'))
    return corruptLog(path, String(error));
  return storageFailed('open the Raft log', path, error);
}
