/** @module Reads of the rows: each an attempt over those in memory, made again once what it lacks is loaded. */
import type { RowStore } from '../storage/row-store.ts';
import { LoadedRows, MISSING_ROWS } from './missing-rows.ts';
import type { RowCache } from './row-cache.ts';
import { RowView } from './row-view.ts';

export interface RowReadsComponents {
  readonly store: RowStore;
  readonly cache: RowCache;
}

export class RowReads {
  readonly #components: RowReadsComponents;
  /** Settled except while the rows are replaced, when memory and store are not of one state. */
  #replaced: Promise<unknown> = Promise.resolve();

  constructor(components: RowReadsComponents) {
    this.#components = components;
  }

  /** Reads begun from now on wait until `replacing` settles. */
  waitFor(replacing: Promise<void>): void {
    this.#replaced = replacing.catch(() => undefined);
  }

  /** Rejects as `body` throws, and as the store does. */
  async read<T>(body: (view: RowView) => T): Promise<T> {
    const { store, cache } = this.#components;
    const loaded = new LoadedRows(store, cache);
    const view = new RowView(cache, loaded);
    for (;;) {
      await this.#replaced;
      try {
        return body(view);
      } catch (signal) {
        if (signal !== MISSING_ROWS) throw signal;
      }
      await loaded.load();
    }
  }
}
