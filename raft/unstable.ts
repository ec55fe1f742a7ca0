/** @module The tail of the log, and perhaps a snapshot, that is not known to be durable yet. */
import type { EntryId } from './entry-id.ts';
import { takeUpToSize } from './entry-size.ts';
import type { Entry, Index, RaftLogger, Snapshot, Term } from './types.ts';

/** Durable entries are dropped from the front in one go when they are at least this many and half of the array. */
const MIN_DROPPED = 64;

/**
 * Holds the entries of [offset, end); those below `offsetInProgress` are being written.
 * Durable storage may hold entries at or above `offset`; those here hide them.
 */
export class Unstable {
  readonly #logger: RaftLogger;
  #snapshot: Snapshot | undefined;
  #snapshotInProgress = false;
  /** Entry `i` is at `i - offset + head`; what is before head is durable, and dropped in large steps. */
  #entries: Entry[] = [];
  #head = 0;
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
    if (this.hasEntries()) return this.#end - 1;
    return this.#snapshot?.metadata.index;
  }

  term(index: Index): Term | undefined {
    if (index >= this.#offset) return this.#entries[this.#at(index)]?.term;
    const metadata = this.#snapshot?.metadata;
    return metadata?.index === index ? metadata.term : undefined;
  }

  /** Entries of [from, to), cut to `maxSizeBytes` but never to nothing. `from` >= offset. */
  slice(from: Index, to: Index, maxSizeBytes: number): Entry[] {
    return takeUpToSize(this.#entries, this.#at(from), this.#at(to), maxSizeBytes);
  }

  /** Entries whose writing has not begun. */
  nextEntries(): Entry[] {
    return this.#entries.slice(this.#at(this.#offsetInProgress));
  }

  hasNextEntries(): boolean {
    return this.#end > this.#offsetInProgress;
  }

  hasEntries(): boolean {
    return this.#entries.length > this.#head;
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
    this.#offsetInProgress = this.#end;
    if (this.#snapshot !== undefined) this.#snapshotInProgress = true;
  }

  /**
   * Entries up to `id` are durable, and no write under way will replace them. Ignored when they were replaced
   * meanwhile: then another entry stands at that index, of another term.
   */
  stableTo(id: EntryId): void {
    if (id.index < this.#offset || this.term(id.index) !== id.term) {
      this.#logger.debug(
        `entry ${id.term}/${id.index} is not in the unstable log any more; ignoring its write`,
      );
      return;
    }
    this.#head += id.index + 1 - this.#offset;
    this.#offset = id.index + 1;
    this.#offsetInProgress = Math.max(this.#offsetInProgress, this.#offset);
    this.#dropDurable();
  }

  stableSnapshotTo(index: Index): void {
    if (this.#snapshot?.metadata.index !== index) return;
    this.#snapshot = undefined;
    this.#snapshotInProgress = false;
  }

  /** Everything gives way to the snapshot. */
  restore(snapshot: Snapshot): void {
    this.#replace([], snapshot.metadata.index + 1);
    this.#snapshot = snapshot;
    this.#snapshotInProgress = false;
  }

  /** Appends, first cutting off everything from the first new index on. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const from = entries[0]?.index;
    if (from === undefined) return;
    if (from <= this.#offset && from !== this.#end) {
      this.#logger.info(`replace the unstable entries from index ${from}`);
      this.#replace([...entries], from);
      return;
    }
    if (from < this.#end) {
      this.#logger.info(`truncate the unstable entries before index ${from}`);
      this.#entries.length = this.#at(from);
      // What was being written of the cut part must be written anew.
      this.#offsetInProgress = Math.min(this.#offsetInProgress, from);
    }
    for (const entry of entries) this.#entries.push(entry);
  }

  get #end(): Index {
    return this.#offset + this.#entries.length - this.#head;
  }

  #at(index: Index): number {
    return index - this.#offset + this.#head;
  }

  #replace(entries: Entry[], offset: Index): void {
    this.#entries = entries;
    this.#head = 0;
    this.#offset = offset;
    this.#offsetInProgress = offset;
  }

  /** Each entry is moved at most once on average, however many acknowledgements come. */
  #dropDurable(): void {
    const isAll = this.#head === this.#entries.length;
    if (!isAll && (this.#head < MIN_DROPPED || this.#head * 2 < this.#entries.length)) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}
