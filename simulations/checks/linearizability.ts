/** @module Is there one order of instants that explains what all clients saw (Herlihy and Wing 1990)? */
import type { Model } from './model.ts';
import type { Operation } from './operation.ts';
import { Search, type SearchOptions, type SearchResult } from './search.ts';
import { layOut } from './timeline.ts';
import type { PlacedOperation } from './placed-operation.ts';

export interface Violation<Call> {
  readonly part: string;
  /** All of that part. */
  readonly operations: readonly Operation<Call>[];
  /** The order that explains the longest beginning of it. */
  readonly order: readonly PlacedOperation<Call>[];
  /** Up to the end of this one nothing explains it. */
  readonly stuckAt: PlacedOperation<Call>;
}

export interface Verdict<Call> {
  readonly isLinearizable: boolean;
  /** Of the first part that is not. */
  readonly violation?: Violation<Call>;
}

/** A few hundred bytes each: a history that needs more says nothing more, and takes minutes. */
export const DEFAULT_OPTIONS: SearchOptions = { maxVisited: 4_000_000 };

/**
 * Parts are judged alone: a history is linearizable if and only if that of each object is (Horn and Kroening 2015).
 * Error: CHECK_UNDECIDED.
 */
export function checkHistory<State, Call>(
  model: Model<State, Call>,
  operations: readonly Operation<Call>[],
  options: SearchOptions = DEFAULT_OPTIONS,
): Verdict<Call> {
  for (const [part, own] of Map.groupBy(operations, ({ call }) => model.part(call))) {
    const { isLinearizable, order, stuckAt } = searchPart(model, part, own, options);
    if (!isLinearizable && stuckAt !== undefined)
      return { isLinearizable, violation: { part, operations: own, order, stuckAt } };
  }
  return { isLinearizable: true };
}

/** All `operations` are of one part. Error: CHECK_UNDECIDED. */
export function searchPart<State, Call>(
  model: Model<State, Call>,
  part: string,
  operations: readonly Operation<Call>[],
  options: SearchOptions = DEFAULT_OPTIONS,
): SearchResult<Call> {
  return new Search(model, layOut(model, operations), options).run(model.initial(part));
}
