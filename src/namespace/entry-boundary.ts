/** @module The moments between two log entries, when the rows in memory are the state at exactly one index. */
export class EntryBoundary {
  #isInside = false;
  #failure: { readonly cause: unknown } | undefined;
  #waiting: { readonly run: () => void; readonly reject: (cause: unknown) => void }[] = [];

  /** An entry is being applied: rows may wait for others to be loaded, and be of no index at all. */
  get isInside(): boolean {
    return this.#isInside;
  }

  enter(): void {
    this.#isInside = true;
  }

  leave(): void {
    this.#isInside = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { run } of waiting) run();
  }

  /** No boundary will come: an entry was applied in part. */
  fail(cause: unknown): void {
    this.#failure = { cause };
    for (const { reject } of this.#waiting) reject(cause);
    this.#waiting = [];
  }

  /** Runs `look` synchronously at a boundary: at once, or when the entry at hand is through. Rejects after `fail`. */
  at<T>(look: () => T): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.cause as Error);
    if (!this.#isInside) return Promise.resolve(look());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ run: () => resolve(look()), reject });
    });
  }
}
