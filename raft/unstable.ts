/** @module The tail of the log, and perhaps a snapshot, that is not known to be durable yet. */
import { takeUpToSize } from './entry-size.ts';
import type { Entry, Index, RaftLogger, Snapshot, Term } from './types.ts';

/** Names one entry for ever: two logs that hold it are equal up to it (Raft §5.3). */
export interface EntryId {
  readonly term: Term;
  readonly index: Index;
}

/**
 * `entries[i]` has index `offset + i`; the first `offsetInProgress - offset` of them are being written.
 * Durable storage may hold entries at or above `offset`; those here hide them.
 */
export class Unstable {
  readonly #logger: RaftLogger;
  #snapshot: Snapshot | undefined;
  #snapshotInProgress = false;
  #entries: Entry[] = [];
  #offset: Index;
  #offsetInProgress: Index;

  constructor(offset: Index, logger: RaftLogger) {
    this.#offset = offset;
    this.#offsetInProgress = offset;
    this.#logger = logger;
  }

  get offset(): Index {
    return this.#offset;
  }

  firstIndex(): Index | undefined {
    return this.#snapshot === undefined ? undefined : this.#snapshot.metadata.index + 1;
  }

  lastIndex(): Index | undefined {
    if (this.#entries.length > 0) return this.#offset + this.#entries.length - 1;
    return this.#snapshot?.metadata.index;
  }

  term(index: Index): Term | undefined {
    if (index >= this.#offset) return this.#entries[index - this.#offset]?.term;
    const metadata = this.#snapshot?.metadata;
    return metadata?.index === index ? metadata.term : undefined;
  }

  /** Entries of [from, to), cut to `maxSizeBytes` but never to nothing. `from` >= offset. */
  slice(from: Index, to: Index, maxSizeBytes: number): Entry[] {
    return takeUpToSize(this.#entries, from - this.#offset, to - this.#offset, maxSizeBytes);
  }

  /** Entries whose writing has not begun. */
  nextEntries(): Entry[] {
    return this.#entries.slice(this.#offsetInProgress - this.#offset);
  }

  hasNextEntries(): boolean {
    return this.#offset + this.#entries.length > this.#offsetInProgress;
  }

  hasEntries(): boolean {
    return this.#entries.length > 0;
  }

  /** The snapshot, unless its writing has begun. */
  nextSnapshot(): Snapshot | undefined {
    return this.#snapshotInProgress ? undefined : this.#snapshot;
  }

  hasSnapshot(): boolean {
    return this.#snapshot !== undefined;
  }

  /** All of it is now being written. */
  acceptInProgress(): void {
    this.#offsetInProgress = this.#offset + this.#entries.length;
    if (this.#snapshot !== undefined) this.#snapshotInProgress = true;
  }

  /**
   * Entries up to `id` are durable. Ignored when they were replaced meanwhile: then another
   * entry stands at that index, of another term.
   */
  stableTo(id: EntryId): void {
    if (id.index < this.#offset || this.term(id.index) !== id.term) {
      this.#logger.info(
        `entry ${id.term}/${id.index} is not in the unstable log any more; ignoring its write`,
      );
      return;
    }
    this.#entries = this.#entries.slice(id.index + 1 - this.#offset);
    this.#offset = id.index + 1;
    this.#offsetInProgress = Math.max(this.#offsetInProgress, this.#offset);
  }

  stableSnapshotTo(index: Index): void {
    if (this.#snapshot?.metadata.index !== index) return;
    this.#snapshot = undefined;
    this.#snapshotInProgress = false;
  }

  /** Everything gives way to the snapshot. */
  restore(snapshot: Snapshot): void {
    this.#offset = snapshot.metadata.index + 1;
    this.#offsetInProgress = this.#offset;
    this.#entries = [];
    this.#snapshot = snapshot;
    this.#snapshotInProgress = false;
  }

  /** Appends, first cutting off everything from the first new index on. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const from = entries[0]?.index;
    if (from === undefined) return;
    const end = this.#offset + this.#entries.length;
    if (from === end) {
      for (const entry of entries) this.#entries.push(entry);
    } else if (from <= this.#offset) {
      this.#logger.info(`replace the unstable entries from index ${from}`);
      this.#entries = [...entries];
      this.#offset = from;
      this.#offsetInProgress = from;
    } else {
      this.#logger.info(`truncate the unstable entries before index ${from}`);
      this.#entries = [...this.#entries.slice(0, from - this.#offset), ...entries];
      // What was being written of the cut part must be written anew.
      this.#offsetInProgress = Math.min(this.#offsetInProgress, from);
    }
  }
}
