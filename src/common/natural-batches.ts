/** @module Natural batching: what is asked for while requests are under way travels together in the next one. */

export interface BatchLimits<Item> {
  /** Items of one request, at most. */
  readonly maxItems: number;
  /** Sum of `weigh` over them, at most; a heavier item travels alone. */
  readonly maxWeight?: number;
  readonly weigh?: (item: Item) => number;
  /** Requests under way at once. */
  readonly maxFlights: number;
  /** Whether `item` may travel with `first`. */
  readonly mayShare?: (first: Item, item: Item) => boolean;
  /** Items that may wait; beyond it ask() rejects with `overloaded`. */
  readonly maxWaiting: number;
  readonly overloaded: () => Error;
}

/**
 * Sends one request for `items`; resolves with an answer for each, in their order, or a promise of one where it takes
 * longer than its neighbours'. The signal fires when nobody waits any more; there is none where somebody cannot give up. A rejection
 * is everybody's.
 */
export type SendBatch<Item, Answer> = (
  items: readonly Item[],
  signal: AbortSignal | undefined,
) => Promise<readonly (Answer | Promise<Answer>)[]>;

interface Entry<Item, Answer> {
  readonly item: Item;
  readonly mayGiveUp: boolean;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  flight: Flight | undefined;
}

interface Flight {
  readonly abort: AbortController | undefined;
  waiting: number;
}

/** Nothing is held back to gather more: who finds no request under way is sent at the end of the turn. */
export class NaturalBatches<Item, Answer> {
  readonly #send: SendBatch<Item, Answer>;
  readonly #limits: BatchLimits<Item>;
  #queue: Entry<Item, Answer>[] = [];
  /** Of the queue, who has given up: thousands may do so at once, and are swept out together. */
  readonly #gone = new Set<Entry<Item, Answer>>();
  #flights = 0;
  #isScheduled = false;

  constructor(send: SendBatch<Item, Answer>, limits: BatchLimits<Item>) {
    this.#send = send;
    this.#limits = limits;
  }

  /** Settles with the item's own verdict, or rejects with the signal's reason: then the others go on. */
  ask(item: Item, signal?: AbortSignal): Promise<Answer> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#queue.length >= this.#limits.maxWaiting) return Promise.reject(this.#limits.overloaded());
    return new Promise((resolve, reject) => {
      const entry = { item, mayGiveUp: false, resolve, reject, flight: undefined };
      this.#queue.push(signal === undefined ? entry : this.#heeding(signal, entry));
      this.#schedule();
    });
  }

  /** The entry, with an end to it when the signal fires. */
  #heeding(signal: AbortSignal, { item, resolve, reject }: Entry<Item, Answer>): Entry<Item, Answer> {
    const onAbort = (): void => {
      reject(signal.reason);
      this.#forget(entry);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const entry: Entry<Item, Answer> = {
      item,
      mayGiveUp: true,
      flight: undefined,
      resolve: (answer) => {
        signal.removeEventListener('abort', onAbort);
        resolve(answer);
      },
      reject: (error) => {
        signal.removeEventListener('abort', onAbort);
        reject(error);
      },
    };
    return entry;
  }

  #forget(entry: Entry<Item, Answer>): void {
    const { flight } = entry;
    if (flight === undefined) this.#gone.add(entry);
    else if (--flight.waiting === 0) flight.abort?.abort(new Error('nobody waits for it any more'));
  }

  /** Once the promises of this turn are through, so that all whom one answer wakes travel together again. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(() => {
      this.#isScheduled = false;
      this.#sweep();
      while (this.#queue.length > 0 && this.#flights < this.#limits.maxFlights) void this.#fly(this.#take());
    });
  }

  #sweep(): void {
    if (this.#gone.size === 0) return;
    this.#queue = this.#queue.filter((entry) => !this.#gone.has(entry));
    this.#gone.clear();
  }

  #take(): readonly Entry<Item, Answer>[] {
    const { maxItems, maxWeight = Number.POSITIVE_INFINITY, weigh, mayShare } = this.#limits;
    const first = this.#queue[0];
    let count = 0;
    let weight = 0;
    for (const { item } of this.#queue) {
      if (count === maxItems || (first !== undefined && mayShare?.(first.item, item) === false)) break;
      weight += weigh?.(item) ?? 0;
      if (count > 0 && weight > maxWeight) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  /** Never rejects: what happens is told to those who wait. */
  async #fly(entries: readonly Entry<Item, Answer>[]): Promise<void> {
    // A controller, and all that listens to it on the way, is a good part of what one request costs its client.
    const abort = entries.every(({ mayGiveUp }) => mayGiveUp) ? new AbortController() : undefined;
    const flight: Flight = { abort, waiting: entries.length };
    for (const entry of entries) entry.flight = flight;
    this.#flights += 1;
    try {
      const answers = await this.#send(
        entries.map(({ item }) => item),
        abort?.signal,
      );
      entries.forEach(({ resolve, reject }, position) => {
        const answer = answers[position];
        // Not left to resolve(): of who has given up, nobody would hear a late failure.
        if (answer instanceof Promise) answer.then(resolve, reject);
        else resolve(answer as Answer);
      });
    } catch (error) {
      for (const { reject } of entries) reject(error);
    } finally {
      this.#flights -= 1;
      if (this.#queue.length > 0) this.#schedule();
    }
  }
}
