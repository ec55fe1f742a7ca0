/** @module The Raft log on SQLite: reads from memory, one durable transaction for all writes that arrive together. */
import type { ConfState, Entry, HardState, Index, Snapshot } from '../../raft/types.ts';
import { assert } from '../common/errors.ts';
import { FailureLatch, logNotEmpty, storageClosed } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { foldChanges } from './log-batch.ts';
import type { LogStanding } from './log-mark.ts';
import type { Marker } from './log-marker.ts';
import { assertFollows, type LogChange, type LogPosition, LogWindow } from './log-window.ts';
import { bootstrapChange } from './memory-raft-log.ts';
import type { LogWrite, RaftLogStore } from './raft-log-store.ts';
import {
  appendChange,
  entryInsertions,
  MAX_APPENDED_TOGETHER,
  snapshotChange,
  standingChange,
} from './raft-log-rows.ts';
import type { SqlDatabase } from './sql-database.ts';
import type { SqlStatement } from './sql-script.ts';
import { WindowedRaftLog } from './windowed-raft-log.ts';

/** Appends of one transaction, at most. */
const MAX_GROUPED_WRITES = 1024;

interface QueuedChange {
  readonly change: LogChange;
  readonly mustSync: boolean;
}

export interface SqliteRaftLogComponents {
  readonly connection: SqlDatabase;
  readonly marker: Marker;
}

/** What was loaded; see openRaftLog in raft-log-file.ts. */
export interface SqliteRaftLogState {
  readonly window: LogWindow;
  readonly sequence: number;
}

/**
 * A write with mustSync = false moves nothing but the commit index. It waits in memory for the next transaction (or
 * close), because an fsync of its own would halve the throughput and Raft §5.2 does not need the commit index durable.
 * Everything else is committed, fsynced, and then marked (log-marker.ts), before the caller hears of it.
 */
export class SqliteRaftLog extends WindowedRaftLog implements RaftLogStore {
  readonly #connection: SqlDatabase;
  readonly #marker: Marker;
  readonly #latch = new FailureLatch();
  readonly #commits: GroupCommit<QueuedChange>;
  #sequence: number;
  #hardStateWaits = false;
  #closed = false;

  constructor({ connection, marker }: SqliteRaftLogComponents, { window, sequence }: SqliteRaftLogState) {
    super(window);
    this.#connection = connection;
    this.#marker = marker;
    this.#sequence = sequence;
    this.#commits = new GroupCommit((queued) => this.#write(queued), {
      path: connection.path,
      maxItems: MAX_GROUPED_WRITES,
    });
  }

  /** Transactions so far, each of them one fsync. */
  get transactionCount(): number {
    return this.#connection.transactionCount;
  }

  get sequence(): number {
    return this.#sequence;
  }

  get isCopy(): boolean {
    return this.#marker.isCopy;
  }

  async beginBoot(): Promise<number> {
    this.#latch.check();
    return await this.#guarded('count the starts of this node', () =>
      this.#marker.beginBoot(this.#standing()),
    );
  }

  async adopt(): Promise<void> {
    this.#latch.check();
    await this.#guarded("mark the Raft log as this node's own", () => this.#marker.adopt());
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

  /** Writes what still waits, then closes the files. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#commits.idle();
    try {
      if (this.#hardStateWaits && !this.#latch.failed) await this.#commit([{ kind: 'append', entries: [] }]);
    } finally {
      await this.#connection.close();
      await this.#marker.close();
    }
  }

  async #queue(queued: QueuedChange): Promise<void> {
    this.#latch.check();
    if (this.#closed) throw storageClosed(this.#connection.path);
    if (this.#commits.isIdle && this.#mayWait(queued)) this.#holdBack(queued);
    else await this.#commits.add(queued);
  }

  async #write(queued: readonly QueuedChange[]): Promise<void> {
    if (queued.every((one) => this.#mayWait(one))) return queued.forEach((one) => this.#holdBack(one));
    await this.#commit(foldChanges(queued.map((one) => one.change)));
  }

  /** One mark for all transactions: nobody hears of any of them before it. */
  async #commit(changes: readonly LogChange[]): Promise<void> {
    for (const change of changes) await this.#transaction(change);
    await this.#guarded('mark the end of the Raft log', () => this.#marker.mark(this.#standing()));
  }

  /** Only a bare commit index may wait, whatever the caller says of it. */
  #mayWait({ change, mustSync }: QueuedChange): boolean {
    if (mustSync || change.kind === 'compact') return false;
    if (change.entries.length > 0 || change.snapshot !== undefined) return false;
    const { term, vote } = this.window.initialState().hardState;
    const wanted = change.hardState;
    return wanted === undefined || (wanted.term === term && wanted.vote === vote);
  }

  #holdBack({ change }: QueuedChange): void {
    this.window.apply(change);
    this.#hardStateWaits = true;
  }

  async #transaction(change: LogChange): Promise<void> {
    this.#latch.check();
    if (this.#isOutdated(change)) return;
    await this.#guarded('write the Raft log', async () => {
      await this.#connection.writeTogether(this.#statementsOf(change));
      this.window.apply(change);
    });
    this.#sequence += 1;
    this.#hardStateWaits = false;
  }

  /** Whatever fails here leaves the disk in an unknown state: nothing is believed any more (S11 of simulations/README.md). */
  async #guarded<T>(action: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw this.#latch.fail(action, this.#connection.path, cause);
    }
  }

  #standing(): LogStanding {
    const { term, vote } = this.window.initialState().hardState;
    const lastIndex = this.window.lastIndex();
    return { sequence: this.#sequence, term, vote, lastIndex, lastTerm: this.window.term(lastIndex) };
  }

  /** A compaction that was asked for before a newer snapshot arrived from the leader. */
  #isOutdated(change: LogChange): boolean {
    if (change.kind !== 'compact') return false;
    return change.snapshot.metadata.index < this.window.storedSnapshot.metadata.index;
  }

  #statementsOf(change: LogChange): SqlStatement[] {
    const { hardState: held } = this.window.initialState();
    const index = this.window.lastIndex();
    const end: LogPosition = { index, term: this.window.term(index) };
    if (change.kind === 'compact')
      return [
        ...this.#compaction(change.snapshot, change.upTo),
        standingChange(this.#standingAfter(end, held), held.commit),
      ];
    const { entries, hardState = held } = change;
    const { statements, last } = this.#roomFor(change, end);
    const standing = this.#standingAfter(entries.at(-1) ?? last, hardState);
    return entries.length > 0 && entries.length <= MAX_APPENDED_TOGETHER
      ? [...statements, appendChange(entries, standing, hardState.commit)]
      : [...statements, ...entryInsertions(entries), standingChange(standing, hardState.commit)];
  }

  /** After the next transaction. */
  #standingAfter(last: LogPosition, { term, vote }: HardState): LogStanding {
    return { sequence: this.#sequence + 1, term, vote, lastIndex: last.index, lastTerm: last.term };
  }

  /** Removes what the entries or a snapshot take the place of. Also where the log ends then, without the entries. */
  #roomFor(
    { snapshot, entries }: LogChange & { kind: 'append' },
    end: LogPosition,
  ): { readonly statements: readonly SqlStatement[]; readonly last: LogPosition } {
    const statements: SqlStatement[] = [];
    let base: LogPosition = this.window.base;
    let last = end;
    if (snapshot !== undefined) {
      const { index, term } = snapshot.metadata;
      base = { index, term };
      last = base;
      statements.push({ text: 'DELETE FROM entries', values: [] }, snapshotChange(snapshot, base));
    }
    const first = entries[0];
    if (first === undefined) return { statements, last };
    assertFollows(entries, base.index, last.index);
    if (first.index <= last.index)
      statements.push({ text: 'DELETE FROM entries WHERE idx >= ?', values: [first.index] });
    return { statements, last };
  }

  #compaction(snapshot: Snapshot, upTo: Index): SqlStatement[] {
    const { base } = this.window;
    if (upTo <= base.index) return [snapshotChange(snapshot, base)];
    const next: LogPosition = { index: upTo, term: this.window.term(upTo) };
    const removed = { text: 'DELETE FROM entries WHERE idx <= ?', values: [upTo] };
    return [snapshotChange(snapshot, next), removed];
  }
}
