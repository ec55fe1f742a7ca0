/** @module The log as one sequence, read across what is durable and the unstable tail that hides parts of it. */
import { entriesSizeBytes } from './entry-size.ts';
import { RaftError, invariant } from './errors.ts';
import type { Unstable } from './unstable.ts';
import type { Entry, Index, Storage, Term } from './types.ts';

export class LogReader {
  readonly #storage: Storage;
  readonly #unstable: Unstable;

  constructor(storage: Storage, unstable: Unstable) {
    this.#storage = storage;
    this.#unstable = unstable;
  }

  firstIndex(): Index {
    return this.#unstable.firstIndex() ?? this.#storage.firstIndex();
  }

  lastIndex(): Index {
    return this.#unstable.lastIndex() ?? this.#storage.lastIndex();
  }

  /** Term at `index`, which may be firstIndex()-1; undefined when it is compacted away or beyond the end. */
  term(index: Index): Term | undefined {
    const unstable = this.#unstable.term(index);
    if (unstable !== undefined) return unstable;
    if (index + 1 < this.firstIndex() || index > this.lastIndex()) return undefined;
    return this.#storage.term(index);
  }

  /** Entries of [from, to), cut to size but never to nothing. Throws RAFT_COMPACTED. */
  slice(from: Index, to: Index, maxSizeBytes: number): Entry[] {
    if (from < this.firstIndex())
      throw new RaftError(
        'RAFT_COMPACTED',
        `Entry ${from} is compacted away; the log begins at ${this.firstIndex()}.`,
      );
    invariant(to <= this.lastIndex() + 1, () => `slice [${from}, ${to}) is beyond the last entry`);
    const { offset } = this.#unstable;
    if (from >= offset) return this.#unstable.slice(from, to, maxSizeBytes);

    const cut = Math.min(to, offset);
    const stored = this.#storage.entries(from, cut, maxSizeBytes);
    if (to <= offset || stored.length < cut - from) return stored;
    const restBytes = maxSizeBytes - entriesSizeBytes(stored);
    if (restBytes <= 0) return stored;
    const tail = this.#unstable.slice(offset, to, restBytes);
    // The tail has at least one entry even where none fits.
    if (tail.length === 1 && entriesSizeBytes(tail) > restBytes) return stored;
    return [...stored, ...tail];
  }
}
