/** @module The log as raft sees it: durable storage, the unstable tail over it, and the commit and apply cursors. */
import { ApplyWindow } from './apply-window.ts';
import { type EntryId, isUpToDate } from './entry-id.ts';
import { invariant } from './errors.ts';
import { LogReader } from './log-reader.ts';
import { Unstable } from './unstable.ts';
import type { Entry, Index, RaftLogger, Snapshot, Storage, Term } from './types.ts';

/** Where two logs may agree; term 0 = the term at that index is not known. */
export interface ConflictHint {
  readonly index: Index;
  readonly term: Term;
}

export interface RaftLogComponents {
  readonly storage: Storage;
  readonly logger: RaftLogger;
}

export interface RaftLogOptions {
  /** Encoded bytes of entries handed out and not yet applied. */
  readonly maxApplyingBytes: number;
  /** Whether committed entries may be handed out before they are durable here (the shell writes them first). */
  readonly appliesUnstable: boolean;
}

/** Invariant: applied <= applying <= committed <= lastIndex. */
export class RaftLog {
  readonly #storage: Storage;
  readonly #logger: RaftLogger;
  /** What is not known to be durable; readers ask it directly, and only this class appends to it. */
  readonly unstable: Unstable;
  readonly #reader: LogReader;
  readonly #window: ApplyWindow;
  readonly #appliesUnstable: boolean;
  #committed: Index;

  constructor({ storage, logger }: RaftLogComponents, options: RaftLogOptions) {
    this.#storage = storage;
    this.#logger = logger;
    this.#appliesUnstable = options.appliesUnstable;
    this.unstable = new Unstable(storage.lastIndex() + 1, logger);
    this.#reader = new LogReader(storage, this.unstable);
    this.#committed = storage.firstIndex() - 1;
    this.#window = new ApplyWindow(this.#committed, options.maxApplyingBytes);
  }

  get committed(): Index {
    return this.#committed;
  }

  get applied(): Index {
    return this.#window.applied;
  }

  firstIndex(): Index {
    return this.#reader.firstIndex();
  }

  lastIndex(): Index {
    return this.#reader.lastIndex();
  }

  lastEntryId(): EntryId {
    const index = this.lastIndex();
    const term = this.term(index);
    invariant(term !== undefined, () => `the last entry ${index} has no term`);
    return { term, index };
  }

  /** Term at `index`, which may be firstIndex()-1; undefined when it is compacted away or beyond the end. */
  term(index: Index): Term | undefined {
    return this.#reader.term(index);
  }

  matches(id: EntryId): boolean {
    return this.term(id.index) === id.term;
  }

  /** Raft §5.4.1: whether a log that ends with `candidate` is at least as new as this one. */
  isUpToDate(candidate: EntryId): boolean {
    return isUpToDate(candidate, this.lastEntryId());
  }

  /**
   * Raft §5.3: appends what a leader sent after `previous`, if this log has `previous`. Entries that are there already
   * stay untouched, so that a late message never cuts off newer ones. Returns the last new index, or undefined.
   */
  maybeAppend(previous: EntryId, entries: readonly Entry[], leaderCommit: Index): Index | undefined {
    if (!this.matches(previous)) return undefined;
    const lastNew = previous.index + entries.length;
    const conflict = entries.findIndex((entry) => !this.matches(entry));
    if (conflict !== -1) {
      const fresh = conflict === 0 ? entries : entries.slice(conflict);
      const at = previous.index + 1 + conflict;
      invariant(at > this.#committed, () => `entry ${at} conflicts with committed entry ${this.#committed}`);
      this.append(fresh);
    }
    this.commitTo(Math.min(leaderCommit, lastNew));
    return lastNew;
  }

  /** Appends, replacing anything from the first index on; never a committed entry. Returns the last index. */
  append(entries: readonly Entry[]): Index {
    const first = entries[0]?.index;
    if (first === undefined) return this.lastIndex();
    invariant(
      first > this.#committed,
      () => `append at ${first} would replace committed entry ${this.#committed}`,
    );
    this.unstable.truncateAndAppend(entries);
    return this.lastIndex();
  }

  /**
   * Fast back-up (end of §5.3): the largest index at or below `index` whose term is not above `term`; the two logs
   * cannot agree between the two. Term 0 in the answer = compacted away or beyond the end, so it may match.
   */
  findConflictByTerm(index: Index, term: Term): ConflictHint {
    for (let at = index; at > 0; at--) {
      const ours = this.term(at);
      if (ours === undefined) return { index: at, term: 0 };
      if (ours <= term) return { index: at, term: ours };
    }
    return { index: 0, term: 0 };
  }

  /** The commit index never goes back. */
  commitTo(index: Index): void {
    if (index <= this.#committed) return;
    invariant(
      index <= this.lastIndex(),
      () => `commit ${index} is beyond the last entry ${this.lastIndex()}`,
    );
    this.#committed = index;
  }

  /** Raft §5.4.2, figure 8: only an entry of the leader's own term is committed by counting. Says whether it moved. */
  maybeCommit(id: EntryId): boolean {
    if (id.term === 0 || id.index <= this.#committed || !this.matches(id)) return false;
    this.commitTo(id.index);
    return true;
  }

  /** `sizeBytes` is what acceptApplying was told of these entries. */
  appliedTo(index: Index, sizeBytes: number): void {
    this.#window.appliedTo(index, sizeBytes, this.#committed);
  }

  /** Entries up to `index` were handed out to be applied. */
  acceptApplying(index: Index, sizeBytes: number): void {
    this.#window.handOut(index, sizeBytes, this.#appliable());
  }

  /** Entries are handed out and not applied yet. */
  isApplying(): boolean {
    return this.#window.applying > this.#window.applied;
  }

  /** None while a snapshot waits: it comes first. */
  hasNextCommittedEntries(): boolean {
    return (
      !this.#window.isPaused && !this.unstable.hasSnapshot() && this.#window.applying < this.#appliable()
    );
  }

  /** Committed entries not yet handed out, as many as the size limit allows. */
  nextCommittedEntries(): Entry[] {
    if (!this.hasNextCommittedEntries()) return [];
    return this.slice(this.#window.applying + 1, this.#appliable() + 1, this.#window.freeBytes);
  }

  /** Everything gives way to a snapshot from the leader. */
  restore(snapshot: Snapshot): void {
    const { index, term } = snapshot.metadata;
    this.#logger.info(
      `log [committed=${this.#committed}, applied=${this.applied}] restores ${term}/${index}`,
    );
    this.#committed = index;
    this.unstable.restore(snapshot);
  }

  /** The latest snapshot there is. Throws RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE. */
  snapshot(): Snapshot {
    return this.unstable.nextSnapshot() ?? this.#storage.snapshot();
  }

  /** Entries from `from` to the end, cut to size. Throws RAFT_COMPACTED. */
  entries(from: Index, maxSizeBytes: number): Entry[] {
    const end = this.lastIndex() + 1;
    return from >= end ? [] : this.slice(from, end, maxSizeBytes);
  }

  /** Entries of [from, to), cut to size but never to nothing. Throws RAFT_COMPACTED. */
  slice(from: Index, to: Index, maxSizeBytes: number): Entry[] {
    return this.#reader.slice(from, to, maxSizeBytes);
  }

  #appliable(): Index {
    return this.#appliesUnstable ? this.#committed : Math.min(this.#committed, this.unstable.offset - 1);
  }
}
