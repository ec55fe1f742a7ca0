/** @module The replicated state machine: log entries in, results out, rows written behind. The one door to the namespace. */
import { MIB } from '../common/bytes.ts';
import type { RowStore } from '../storage/row-store.ts';
import { decodeEntry, type LogEntry } from './apply-batches.ts';
import { EntryApplier } from './entry-applier.ts';
import { EntryBoundary } from './entry-boundary.ts';
import { featureLevelTooLow } from './errors.ts';
import { activeLevel, SUPPORTED_FEATURE_LEVEL } from './feature-level.ts';
import { MemberIndex } from './member-index.ts';
import { hashRows, loadPinnedRows } from './whole-store.ts';
import {
  type BlockReferences,
  type FileBlocks,
  type FileName,
  type Listing,
  readBlocks,
  readFileBlocks,
  readList,
  readReferences,
  readStat,
  readWanted,
  type WantedBlock,
} from './reads.ts';
import { RowCache } from './row-cache.ts';
import { RowReads } from './row-reads.ts';
import { META_CLUSTER } from './rows.ts';
import type { Cluster, Counters, Member, Result, Stat, Token } from './schema.ts';
import { SerialQueue } from './serial-queue.ts';
import { type ConfStateHolder, type DurablePosition, type PinnedState, WriteBehind } from './write-behind.ts';

export interface StateMachineOptions {
  /** Memory for rows beside those waiting to be written, in bytes. */
  readonly cacheSizeBytes?: number;
  /** Dirty rows at which a flush begins by itself; at twice as many, apply waits for it. */
  readonly maxDirtyRows?: number;
  /** SUPPORTED_FEATURE_LEVEL when absent; a lower one makes a machine that behaves as older code would. */
  readonly supportedFeatureLevel?: number;
}

/** Some 500,000 files with their names. Listings pass it by: a walk over everything leaves what is in use where it is. */
export const DEFAULT_CACHE_SIZE_BYTES: number = 256 * MIB;
const DEFAULT_MAX_DIRTY_ROWS = 4096;

/**
 * Everything here depends on the log alone, never on a clock, on cache sizes or on when rows were flushed: machines
 * at equal indices are equal. After any rejection of `apply` or `flush` the machine is broken: open it anew.
 */
export class StateMachine {
  readonly #store: RowStore;
  readonly #supportedLevel: number;
  readonly #cache: RowCache;
  readonly #boundary = new EntryBoundary();
  readonly #membership: ConfStateHolder = { confState: undefined };
  readonly #writeBehind: WriteBehind;
  readonly #members: MemberIndex;
  readonly #applier: EntryApplier;
  readonly #reads: RowReads;
  readonly #turns = new SerialQueue();
  #failure: { readonly cause: unknown } | undefined;

  /**
   * Resumes from the index the store is durable at (0 for an empty one). The store stays the caller's to close.
   * Throws NAMESPACE_FEATURE_LEVEL_TOO_LOW for the rows of a cluster whose level this code does not support.
   */
  static async open(
    components: { readonly store: RowStore },
    options: StateMachineOptions = {},
  ): Promise<StateMachine> {
    const machine = new StateMachine(components.store, options);
    await machine.#resume();
    return machine;
  }

  private constructor(store: RowStore, options: StateMachineOptions) {
    this.#store = store;
    this.#supportedLevel = options.supportedFeatureLevel ?? SUPPORTED_FEATURE_LEVEL;
    this.#cache = new RowCache(options.cacheSizeBytes ?? DEFAULT_CACHE_SIZE_BYTES);
    const [cache, boundary] = [this.#cache, this.#boundary];
    this.#members = new MemberIndex(cache, boundary);
    this.#applier = new EntryApplier({ store, cache, boundary, members: this.#members });
    this.#reads = new RowReads({ store, cache });
    this.#writeBehind = new WriteBehind(
      { store, cache, boundary, membership: this.#membership },
      { maxDirtyRows: options.maxDirtyRows ?? DEFAULT_MAX_DIRTY_ROWS },
    );
  }

  /** Index of the last entry applied; a read sees all of it. */
  get appliedIndex(): number {
    return this.#cache.counters.appliedIndex;
  }

  /** The index a restart would resume from: the log must be kept from the next one on. */
  get durableIndex(): number {
    return this.#writeBehind.durable.index;
  }

  /** The state a restart would resume from. */
  get durable(): DurablePosition {
    return this.#writeBehind.durable;
  }

  /** Applies committed entries, the next ones without a gap. Gives per entry the results of its commands in order. */
  apply(entries: readonly LogEntry[]): Promise<Result[][]> {
    return this.#inTurn(async () => {
      const results: Result[][] = [];
      const decoded = entries.map((each) => decodeEntry(each, this.#supportedLevel));
      const prepared = this.#applier.prepare(decoded);
      if (prepared !== undefined) await prepared;
      for (const at of decoded.keys()) {
        results.push(await this.#applier.apply(decoded, at));
        const pressure = this.#writeBehind.keepUp();
        if (pressure !== undefined) await pressure;
      }
      return results;
    });
  }

  /** Takes the membership that the entry at `index` brought about, in the driver's own encoding. */
  applyConfState(index: number, term: number, confState: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      this.#applier.checkNext(index);
      this.#membership.confState = new Uint8Array(confState);
      this.#cache.counters = { ...this.#cache.counters, appliedIndex: index, appliedTerm: term };
    });
  }

  /** As applyConfState left it, also after a restart; undefined before the first. */
  confState(): Uint8Array | undefined {
    return this.#membership.confState;
  }

  /** Makes everything applied so far durable. Rejects with STORAGE_FAILED as the store does. */
  flush(): Promise<void> {
    return this.#writeBehind.flush();
  }

  /**
   * Flushes, then holds on to all rows as they are at the position it gives: for a snapshot, whose copying takes long and
   * which nothing waits for. Dispose of the rows.
   */
  pin(): Promise<PinnedState> {
    return this.#writeBehind.pin();
  }

  /** Rejects as the store does unless the file at `path` can be restored from. */
  verify(path: string): Promise<void> {
    return this.#store.verify(path);
  }

  /**
   * Replaces everything by the verified file at `path`, a copy of pinned rows, which is used up; what was applied here
   * before is gone. Rejects as the store does.
   */
  restoreFrom(path: string): Promise<void> {
    return this.#turns.run(async () => {
      if (this.#failure !== undefined) throw this.#failure.cause;
      const restoring = this.#writeBehind.replace(async () => {
        await this.#store.importFrom(path);
        await this.#resume();
      });
      this.#reads.waitFor(restoring);
      await restoring;
    });
  }

  /**
   * Of what a symlink at `path` leads to, unless `noFollow`. Throws NAMESPACE_NOT_FOUND, _NOT_A_DIRECTORY (a file stands
   * in the way), _INVALID_NAME, _TOO_MANY_LINKS; so do the other reads by path, which follow symlinks.
   */
  stat(path: string, options: { readonly noFollow?: boolean } = {}): Promise<Stat> {
    return this.#reads.read((view) => readStat(view, path, options.noFollow ? 'keep' : 'follow'));
  }

  /** A page of a directory: names after `after`, at most `limit` (and MAX_LIST_ENTRIES). */
  list(path: string, after: string, limit: number): Promise<Listing> {
    return this.#reads.read((view) => readList(view, path, after, limit));
  }

  /** Blocks [first, first + limit) of a file. Also throws NAMESPACE_IS_A_DIRECTORY and NAMESPACE_VERSION_MISMATCH. */
  fileBlocks(file: FileName, first: number, limit: number): Promise<FileBlocks> {
    return this.#reads.read((view) => readFileBlocks(view, file, first, limit));
  }

  /** Blocks that should exist, in order of hash, after `afterHash` ('' for the first). */
  scanBlocks(afterHash: string, limit: number): Promise<WantedBlock[]> {
    return this.#reads.read((view) => readBlocks(view, afterHash, limit));
  }

  /** Who refers to each of these blocks, and the settings of garbage collection, all at one index. */
  references(hashes: readonly string[]): Promise<BlockReferences> {
    return this.#reads.read((view) => readReferences(view, hashes));
  }

  /** Those of `hashes`, at most MAX_SCAN_BLOCKS, that should exist. */
  wantedBlocks(hashes: readonly string[]): Promise<WantedBlock[]> {
    return this.#reads.read((view) => readWanted(view, hashes));
  }

  /** All members ever by number, also those that left; the same array until one of them changes. */
  members(): readonly Member[] {
    return this.#members.all();
  }

  /** The active member with this peer id; else the last one that left. Look at `state`. */
  memberByPeer(peer: string): Member | undefined {
    return this.#members.byPeer(peer);
  }

  memberByNumber(number: number): Member | undefined {
    return this.#members.byNumber(number);
  }

  tokens(): Token[] {
    return [...this.#cache.pinned('token').values()] as Token[];
  }

  /** Undefined before Genesis. */
  cluster(): Cluster | undefined {
    return this.#cache.pinned('meta').get(META_CLUSTER) as Cluster | undefined;
  }

  /** Which commands may enter the log, from 1. */
  get featureLevel(): number {
    return activeLevel(this.cluster());
  }

  get supportedFeatureLevel(): number {
    return this.#supportedLevel;
  }

  /** As of the last whole entry, as members() is: a version of their list names one list, though an entry changes several. */
  counters(): Readonly<Counters> {
    return this.#applier.counters;
  }

  /** Whether a Housekeeping proposed at `nowMs` would find anything to do. */
  housekeepingDue(nowMs: number): boolean {
    const { orphans, firstDeadlineMs } = this.#cache.counters;
    return orphans > 0 || (firstDeadlineMs !== 0 && firstDeadlineMs <= nowMs);
  }

  /** What rows beside those waiting to be written take in memory, in bytes; at most `cacheSizeBytes`. */
  get cachedBytes(): number {
    return this.#cache.cleanBytes;
  }

  /** Flushes, then hashes every row: equal on all machines at an equal index. Reads the whole store. */
  async namespaceHash(): Promise<{ readonly index: number; readonly hash: string }> {
    const { at, rows } = await this.pin();
    await using pinned = rows;
    return { index: at.index, hash: await hashRows(pinned) };
  }

  /** Flushes what is applied; nothing may be applied afterwards. Does not close the store. */
  close(): Promise<void> {
    return this.#inTurn(() => this.flush());
  }

  async #resume(): Promise<void> {
    this.#membership.confState = await loadPinnedRows(this.#store, this.#cache);
    if (this.featureLevel > this.#supportedLevel)
      throw featureLevelTooLow(this.#supportedLevel, this.featureLevel);
    this.#writeBehind.resume();
  }

  /** One change of the state at a time. After a failure none is tried: an entry may have been applied in part. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    return this.#turns.run(async () => {
      if (this.#failure !== undefined) throw this.#failure.cause;
      try {
        return await task();
      } catch (cause) {
        this.#failure = { cause };
        this.#boundary.fail(cause);
        throw cause;
      }
    });
  }
}
