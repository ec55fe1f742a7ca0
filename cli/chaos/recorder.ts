/** @module Every operation of every client on one clock: how it ended, how long it took, and the sums for the report. */
import { isHoldfastError } from '../../src/common/errors.ts';
import { type Outcome, outcomeOf } from './history-file.ts';

export type Attempt<T> =
  | { readonly outcome: 'done'; readonly value: T; readonly start: number; readonly end: number }
  | {
      readonly outcome: Exclude<Outcome, 'done'>;
      readonly code: string;
      readonly start: number;
      readonly end: number;
    };

/** Of one second of the run. */
export interface SecondSums {
  readonly counts: Record<Outcome, number>;
  /** The longest that ended in it, in milliseconds. */
  slowestMs: number;
}

export class Recorder {
  readonly seconds: SecondSums[] = [];
  /** By outcome, then by kind of operation. */
  readonly totals: Record<Outcome, number> = { done: 0, refused: 0, unavailable: 0, unknown: 0 };
  /** How often each error code was met. */
  readonly codes: Map<string, number> = new Map();
  readonly #originMs: number = performance.now();

  /** Milliseconds since the run began. */
  now(): number {
    return performance.now() - this.#originMs;
  }

  /** Throws only what is no HoldfastError: a bug of ours. */
  async attempt<T>(run: () => Promise<T>): Promise<Attempt<T>> {
    const start = this.now();
    try {
      const value = await run();
      return this.#ended({ outcome: 'done', value, start, end: this.now() });
    } catch (error) {
      const outcome = outcomeOf(error);
      const code = isHoldfastError(error) ? error.code : '';
      this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
      return this.#ended({ outcome, code, start, end: this.now() });
    }
  }

  #ended<T>(attempt: Attempt<T>): Attempt<T> {
    const { outcome, start, end } = attempt;
    this.totals[outcome] += 1;
    const second = Math.floor(end / 1000);
    while (this.seconds.length <= second)
      this.seconds.push({ counts: { done: 0, refused: 0, unavailable: 0, unknown: 0 }, slowestMs: 0 });
    const sums = this.seconds[second] as SecondSums;
    sums.counts[outcome] += 1;
    sums.slowestMs = Math.max(sums.slowestMs, end - start);
    return attempt;
  }
}
