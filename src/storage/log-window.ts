/** @module The retained part of a Raft log in memory: what the core reads without waiting. */
import { takeUpToSize } from '../../raft/entry-size.ts';
import { RaftError } from '../../raft/errors.ts';
import type { ConfState, Entry, HardState, Index, Snapshot, Storage, Term } from '../../raft/types.ts';
import { assert } from '../common/errors.ts';

export interface LogPosition {
  readonly index: Index;
  readonly term: Term;
}

/** One durable change of a log; a bootstrap is an `append` whose snapshot has index 0. */
export type LogChange =
  | {
      readonly kind: 'append';
      readonly hardState?: HardState;
      readonly snapshot?: Snapshot;
      readonly entries: readonly Entry[];
    }
  | { readonly kind: 'compact'; readonly snapshot: Snapshot; readonly upTo: Index };

export interface LogState {
  readonly hardState: HardState;
  readonly snapshot: Snapshot;
  /** The last position before the first retained entry. */
  readonly base: LogPosition;
  readonly entries: readonly Entry[];
}

const NO_CONF_STATE: ConfState = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

/** A log in which nothing has happened. */
export const EMPTY_LOG: LogState = {
  hardState: { term: 0, vote: 0, commit: 0 },
  snapshot: { metadata: { index: 0, term: 0, confState: NO_CONF_STATE }, data: new Uint8Array() },
  base: { index: 0, term: 0 },
  entries: [],
};

/** Entries base.index + 1 … lastIndex, gap-free. Changed only by `apply`, once a change is durable. */
export class LogWindow implements Storage {
  #hardState: HardState;
  #snapshot: Snapshot;
  #base: LogPosition;
  #entries: Entry[];
  #retainedBytes = 0;

  constructor(state: LogState = EMPTY_LOG) {
    this.#hardState = state.hardState;
    this.#snapshot = state.snapshot;
    this.#base = state.base;
    this.#entries = [...state.entries];
    for (const entry of state.entries) this.#retainedBytes += entry.data.length;
  }

  get base(): LogPosition {
    return this.#base;
  }

  /** The snapshot as stored, also one of index 0 that only carries the first configuration. */
  get storedSnapshot(): Snapshot {
    return this.#snapshot;
  }

  get retainedBytes(): number {
    return this.#retainedBytes;
  }

  get isEmpty(): boolean {
    const { term, vote, commit } = this.#hardState;
    return this.lastIndex() === 0 && term === 0 && vote === 0 && commit === 0;
  }

  /** Everything, as a new window would start from it. */
  state(): LogState {
    return {
      hardState: this.#hardState,
      snapshot: this.#snapshot,
      base: this.#base,
      entries: [...this.#entries],
    };
  }

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return { hardState: this.#hardState, confState: this.#snapshot.metadata.confState };
  }

  entries(lo: Index, hi: Index, maxSizeBytes: number): Entry[] {
    if (lo <= this.#base.index) throw compacted(lo, this.firstIndex());
    if (hi > this.lastIndex() + 1) throw unavailable(hi - 1, this.lastIndex());
    return takeUpToSize(this.#entries, this.#slot(lo), this.#slot(hi), maxSizeBytes);
  }

  term(i: Index): Term {
    if (i === this.#base.index) return this.#base.term;
    if (i < this.#base.index) throw compacted(i, this.firstIndex());
    const entry = this.#entries[this.#slot(i)];
    if (entry === undefined) throw unavailable(i, this.lastIndex());
    return entry.term;
  }

  firstIndex(): Index {
    return this.#base.index + 1;
  }

  lastIndex(): Index {
    return this.#base.index + this.#entries.length;
  }

  snapshot(): Snapshot {
    if (this.#snapshot.metadata.index === 0)
      throw new RaftError('RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE', 'No snapshot has been taken yet.');
    return this.#snapshot;
  }

  /** Throws (an assertion) if `change` would leave a gap or rewrite what is compacted. */
  apply(change: LogChange): void {
    if (change.kind === 'compact') return this.#compact(change.snapshot, change.upTo);
    if (change.snapshot !== undefined) this.#install(change.snapshot);
    this.#append(change.entries);
    if (change.hardState !== undefined) this.#hardState = change.hardState;
  }

  #install(snapshot: Snapshot): void {
    const { index, term } = snapshot.metadata;
    this.#snapshot = snapshot;
    this.#base = { index, term };
    this.#entries = [];
    this.#retainedBytes = 0;
  }

  #append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    assertFollows(entries, this.#base.index, this.lastIndex());
    for (const dropped of this.#entries.splice(this.#slot(first.index)))
      this.#retainedBytes -= dropped.data.length;
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#retainedBytes += entry.data.length;
    }
  }

  #compact(snapshot: Snapshot, upTo: Index): void {
    this.#snapshot = snapshot;
    if (upTo <= this.#base.index) return;
    const base = { index: upTo, term: this.term(upTo) };
    for (const dropped of this.#entries.splice(0, this.#slot(upTo) + 1))
      this.#retainedBytes -= dropped.data.length;
    this.#base = base;
  }

  #slot(index: Index): number {
    return index - this.#base.index - 1;
  }
}

/** Asserts that `entries` are contiguous and start in (baseIndex, lastIndex + 1]. */
export function assertFollows(entries: readonly Entry[], baseIndex: Index, lastIndex: Index): void {
  let expected = entries[0]?.index ?? lastIndex + 1;
  assert(expected > baseIndex, `entry ${expected} is above the compacted index ${baseIndex}`);
  assert(expected <= lastIndex + 1, `entry ${expected} follows the last index ${lastIndex} without a gap`);
  for (const entry of entries) {
    assert(entry.index === expected, `entry ${entry.index} is at the place of ${expected}`);
    expected += 1;
  }
}

function compacted(index: Index, firstIndex: Index): RaftError {
  return new RaftError('RAFT_COMPACTED', `Entry ${index} is compacted; the log begins at ${firstIndex}.`);
}

function unavailable(index: Index, lastIndex: Index): RaftError {
  return new RaftError('RAFT_UNAVAILABLE', `Entry ${index} is not in the log, which ends at ${lastIndex}.`);
}
