/** @module Group commit: writes that arrive while one is under way share the next one, in order. */
import { storageBusy } from './errors.ts';

export interface GroupCommitOptions {
  /** Named in errors. */
  readonly path: string;
  /** Items of one write, at most. */
  readonly maxItems: number;
}

/** Items that may wait at once; beyond it `add` rejects with STORAGE_BUSY. */
const MAX_WAITING_ITEMS = 65_536;

interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Hands batches to `write`, one at a time. A batch that fails rejects all its items, and the next one is tried. */
export class GroupCommit<T> {
  readonly #write: (items: readonly T[]) => Promise<void>;
  readonly #options: GroupCommitOptions;
  #waiting: Waiting<T>[] = [];
  #pumping: Promise<void> | undefined;

  constructor(write: (items: readonly T[]) => Promise<void>, options: GroupCommitOptions) {
    this.#write = write;
    this.#options = options;
  }

  /** Nothing waits or is being written: what happens now comes after all that was added. */
  get isIdle(): boolean {
    return this.#pumping === undefined;
  }

  /** Resolves once a write that contains `item` has been done. */
  add(item: T): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING_ITEMS)
      return Promise.reject(storageBusy(this.#options.path, this.#waiting.length));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#pumping ??= this.#pump();
    });
  }

  /** Resolves when nothing waits or is being written. */
  async idle(): Promise<void> {
    while (this.#pumping !== undefined) await this.#pumping;
  }

  async #pump(): Promise<void> {
    // One turn later, so that all that was added in this one goes into the first batch too.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#options.maxItems);
      try {
        await this.#write(batch.map((waiting) => waiting.item));
        for (const waiting of batch) waiting.resolve();
      } catch (error) {
        for (const waiting of batch) waiting.reject(error);
      }
    }
    this.#pumping = undefined;
  }
}
