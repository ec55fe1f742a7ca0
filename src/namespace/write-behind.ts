/** @module Writes changed rows to the store behind the applies, always together with the index they are the state of. */
import type { PinnedRows, RowChange, RowStore } from '../storage/row-store.ts';
import type { EntryBoundary } from './entry-boundary.ts';
import { activeLevel } from './feature-level.ts';
import type { RowCache } from './row-cache.ts';
import { META_CLUSTER, META_CONF_STATE, META_COUNTERS } from './rows.ts';
import { type Cluster, Counters } from './schema.ts';
import { SerialQueue } from './serial-queue.ts';

/** A state that a restart would find. */
export interface DurablePosition {
  readonly index: number;
  readonly term: number;
  /** Raft's membership in its driver's encoding; empty when none was ever applied. */
  readonly confState: Uint8Array;
}

/** All rows at one position, until they are disposed of. */
export interface PinnedState {
  readonly at: DurablePosition;
  readonly rows: PinnedRows;
}

/** Raft's membership beside the rows; belongs to the same index. */
export interface ConfStateHolder {
  confState: Uint8Array | undefined;
}

interface Components {
  readonly store: RowStore;
  readonly cache: RowCache;
  readonly boundary: EntryBoundary;
  readonly membership: ConfStateHolder;
}

export class WriteBehind {
  readonly #store: RowStore;
  readonly #cache: RowCache;
  readonly #boundary: EntryBoundary;
  readonly #membership: ConfStateHolder;
  readonly #queue = new SerialQueue();
  readonly #maxDirtyRows: number;
  #durable: DurablePosition = { index: 0, term: 0, confState: new Uint8Array() };
  /** The store is marked with at least this one. */
  #format = 0;
  #background: Promise<void> | undefined;
  #failure: { readonly cause: unknown } | undefined;

  constructor(components: Components, options: { maxDirtyRows: number }) {
    this.#store = components.store;
    this.#cache = components.cache;
    this.#boundary = components.boundary;
    this.#membership = components.membership;
    this.#maxDirtyRows = options.maxDirtyRows;
  }

  get durable(): DurablePosition {
    return this.#durable;
  }

  /** Says what the store holds, after opening or restoring it. */
  resume(): void {
    this.#durable = this.#position();
    this.#format = 0;
  }

  /** Makes all that is applied now durable. Rejects as the store does, and then always. */
  flush(): Promise<void> {
    return this.#queue.run(() => this.#write());
  }

  /** Flushes, then pins the store at exactly that position; applies go on meanwhile, flushes as soon as it is pinned. */
  pin(): Promise<PinnedState> {
    return this.#queue.run(async () => {
      await this.#write();
      return { at: this.#durable, rows: await this.#store.pin() };
    });
  }

  /** Runs `task`, which replaces the rows, while nothing is written. */
  replace(task: () => Promise<void>): Promise<void> {
    return this.#queue.run(task);
  }

  /**
   * Called at a boundary: begins a flush in the background when many rows are dirty. The promise it gives when there
   * are far too many must be awaited before more is applied.
   */
  keepUp(): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.cause as Error);
    if (this.#cache.changedCount < this.#maxDirtyRows) return undefined;
    // Its failure is latched, so the next call of anything here reports it.
    this.#background ??= this.flush()
      .catch(() => undefined)
      .then(() => {
        this.#background = undefined;
      });
    return this.#cache.changedCount < 2 * this.#maxDirtyRows ? undefined : this.#background;
  }

  async #write(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.cause;
    try {
      const taken = await this.#boundary.at(() => this.#take());
      if (taken === undefined) return;
      // First the mark, then rows that need it: a version that does not know them refuses the file at once.
      if (taken.format > this.#format) await this.#store.raiseFormat(taken.format);
      this.#format = taken.format;
      await this.#store.write(taken.changes);
      this.#cache.endFlush();
      this.#durable = taken.position;
    } catch (cause) {
      this.#failure = { cause };
      throw cause;
    }
  }

  /** Undefined when all is durable already. */
  #take(): { changes: RowChange[]; position: DurablePosition; format: number } | undefined {
    const position = this.#position();
    if (position.index === this.#durable.index) return undefined;
    const changes = this.#cache.beginFlush();
    changes.push({
      table: 'meta',
      key: META_COUNTERS,
      value: Counters.encode(this.#cache.counters).finish(),
    });
    if (this.#membership.confState !== undefined)
      changes.push({ table: 'meta', key: META_CONF_STATE, value: this.#membership.confState });
    const cluster = this.#cache.pinned('meta').get(META_CLUSTER) as Cluster | undefined;
    return { changes, position, format: activeLevel(cluster) };
  }

  #position(): DurablePosition {
    const { appliedIndex: index, appliedTerm: term } = this.#cache.counters;
    return { index, term, confState: this.#membership.confState ?? new Uint8Array() };
  }
}
