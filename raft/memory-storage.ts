/** @module A Storage in memory: for tests, simulations, and as the cache before a real one. */
import { takeUpToSize } from './entry-size.ts';
import { RaftError } from './errors.ts';
import { EMPTY_BYTES } from './messages.ts';
import type { ConfState, Entry, HardState, Index, Snapshot, Storage, Term } from './types.ts';

export const EMPTY_CONF_STATE: ConfState = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

export const EMPTY_SNAPSHOT: Snapshot = {
  metadata: { index: 0, term: 0, confState: EMPTY_CONF_STATE },
  data: EMPTY_BYTES,
};

/** Holds a snapshot and entries behind some index at or before its end. */
export class MemoryStorage implements Storage {
  #hardState: HardState = { term: 0, vote: 0, commit: 0 };
  #confState: ConfState = EMPTY_CONF_STATE;
  #snapshot: Snapshot = EMPTY_SNAPSHOT;
  /** What stands right before the first entry. */
  #base: { readonly index: Index; readonly term: Term } = { index: 0, term: 0 };
  #entries: Entry[] = [];

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return { hardState: this.#hardState, confState: this.#confState };
  }

  firstIndex(): Index {
    return this.#base.index + 1;
  }

  lastIndex(): Index {
    return this.#base.index + this.#entries.length;
  }

  term(index: Index): Term {
    if (index < this.#base.index) throw compacted(index);
    if (index === this.#base.index) return this.#base.term;
    const entry = this.#entries[index - this.firstIndex()];
    if (entry === undefined) throw unavailable(index);
    return entry.term;
  }

  entries(lo: Index, hi: Index, maxSizeBytes: number): Entry[] {
    if (lo <= this.#base.index) throw compacted(lo);
    if (hi > this.lastIndex() + 1) throw unavailable(hi - 1);
    return takeUpToSize(this.#entries, lo - this.firstIndex(), hi - this.firstIndex(), maxSizeBytes);
  }

  snapshot(): Snapshot {
    return this.#snapshot;
  }

  setHardState(hardState: HardState): void {
    this.#hardState = hardState;
  }

  /** The configuration that initialState() answers; must be the one at the applied index. */
  setConfState(confState: ConfState): void {
    this.#confState = confState;
  }

  /** Appends, replacing anything from the first index on. Entries already compacted away are skipped. */
  append(entries: readonly Entry[]): void {
    const fresh = entries.filter((entry) => entry.index > this.#base.index);
    const from = fresh[0]?.index;
    if (from === undefined) return;
    if (from > this.lastIndex() + 1) throw unavailable(from - 1);
    this.#entries.length = from - this.firstIndex();
    for (const entry of fresh) this.#entries.push(entry);
  }

  /** Installs a snapshot from the leader; the log begins anew behind it. Throws RAFT_SNAPSHOT_OUT_OF_DATE. */
  applySnapshot(snapshot: Snapshot): void {
    const { index, term, confState } = snapshot.metadata;
    if (index <= this.#snapshot.metadata.index) throw outOfDate(index);
    this.#snapshot = snapshot;
    this.#confState = confState;
    this.#base = { index, term };
    this.#entries = [];
  }

  /** Records a snapshot of the own state at `index`, without compacting. Throws RAFT_SNAPSHOT_OUT_OF_DATE. */
  createSnapshot(index: Index, confState: ConfState, data: Uint8Array): Snapshot {
    if (index <= this.#snapshot.metadata.index) throw outOfDate(index);
    this.#snapshot = { metadata: { index, term: this.term(index), confState }, data };
    return this.#snapshot;
  }

  /** Drops entries up to and including `index`. Throws RAFT_COMPACTED, RAFT_UNAVAILABLE. */
  compact(index: Index): void {
    if (index <= this.#base.index) throw compacted(index);
    const term = this.term(index);
    this.#entries = this.#entries.slice(index + 1 - this.firstIndex());
    this.#base = { index, term };
  }
}

function compacted(index: Index): RaftError {
  return new RaftError('RAFT_COMPACTED', `Entry ${index} is compacted away; send a snapshot instead.`);
}

function unavailable(index: Index): RaftError {
  return new RaftError('RAFT_UNAVAILABLE', `Entry ${index} is not in this log; ask for a smaller index.`);
}

function outOfDate(index: Index): RaftError {
  return new RaftError(
    'RAFT_SNAPSHOT_OUT_OF_DATE',
    `A snapshot as new as ${index} is there already; keep that.`,
  );
}
