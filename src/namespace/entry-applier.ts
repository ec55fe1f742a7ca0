/** @module One log entry after the other onto the rows in memory: nobody outside sees a part of one. */
import { assert } from '../common/errors.ts';
import type { RowStore } from '../storage/row-store.ts';
import { applySlowly, attempt, commandsFrom, type DecodedEntry, newBlocksIn } from './apply-batches.ts';
import { hintBlocks } from './block-references.ts';
import type { EntryBoundary } from './entry-boundary.ts';
import type { MemberIndex } from './member-index.ts';
import { LoadedRows } from './missing-rows.ts';
import type { RowCache } from './row-cache.ts';
import { RowView } from './row-view.ts';
import type { Counters, Result } from './schema.ts';

export interface EntryApplierComponents {
  readonly store: RowStore;
  readonly cache: RowCache;
  readonly boundary: EntryBoundary;
  readonly members: MemberIndex;
}

export class EntryApplier {
  readonly #components: EntryApplierComponents;
  /** Those of the last whole entry, while another is being applied. */
  #settledCounters: Readonly<Counters> | undefined;

  constructor(components: EntryApplierComponents) {
    this.#components = components;
  }

  /** As of the last whole entry. */
  get counters(): Readonly<Counters> {
    return this.#settledCounters ?? this.#components.cache.counters;
  }

  /** Entries are applied once and in order; only an empty machine may begin anywhere. */
  checkNext(index: number): void {
    const { appliedIndex } = this.#components.cache.counters;
    assert(
      appliedIndex === 0 ? index > 0 : index === appliedIndex + 1,
      `entry ${index} follows the last one applied, ${appliedIndex}`,
    );
  }

  /** Loads in one go what these entries, the next ones, are sure to look for; undefined when all of it is here. */
  prepare(entries: readonly DecodedEntry[]): Promise<void> | undefined {
    const blocks = commandsFrom(entries, 0, 0).flatMap(newBlocksIn);
    if (blocks.length === 0) return undefined;
    const { store, cache } = this.#components;
    const loaded = new LoadedRows(store, cache);
    hintBlocks(new RowView(cache, loaded), blocks);
    return loaded.isLacking ? loaded.load() : undefined;
  }

  /**
   * Applies entry `at` of `entries`; those behind it say which rows will be missing next. Gives the results of its commands, in
   * order. After a rejection an entry may have been applied in part.
   */
  async apply(entries: readonly DecodedEntry[], at: number): Promise<Result[]> {
    const { store, cache, boundary, members } = this.#components;
    const entry = entries[at] as DecodedEntry;
    this.checkNext(entry.index);
    const timeMs = Math.max(cache.counters.timeMs, entry.timeMs);
    const context = { index: entry.index, timeMs };
    const loaded = new LoadedRows(store, cache);
    const view = new RowView(cache, loaded);
    const results: Result[] = [];
    members.settle();
    this.#settledCounters = cache.counters;
    boundary.enter();
    for (const [position, request] of entry.commands.entries()) {
      let result = attempt(view, request, context);
      if (result !== undefined) view.commit();
      else
        result = await applySlowly(view, loaded, request, context, commandsFrom(entries, at, position + 1));
      results.push(result);
    }
    const { index: appliedIndex, term: appliedTerm } = entry;
    cache.counters = { ...cache.counters, appliedIndex, appliedTerm, timeMs };
    this.#settledCounters = undefined;
    boundary.leave();
    return results;
  }
}
