/** @module The smallest part of a history that still cannot be explained, for people to look at. */
import { isHoldfastError } from '../../src/common/errors.ts';
import { searchPart, type Violation } from './linearizability.ts';
import type { Model } from './model.ts';
import type { Operation } from './operation.ts';
import type { SearchResult } from './search.ts';

export interface SmallestViolation<Call> {
  readonly part: string;
  /** What contradicts itself: without the answer of any one of these there would be an explanation. */
  readonly core: readonly Operation<Call>[];
  /** Changes that are allowed to have happened at any time after their start, or not at all; it does not help. */
  readonly others: readonly Operation<Call>[];
  /** Of the core and the others: the order that explains the longest beginning, and where it ends. */
  readonly order: readonly Operation<Call>[];
  readonly stuckAt: Operation<Call>;
}

/** Searches that are spent on making it smaller, and the points each may keep. */
const MOST_SEARCHES = 600;
const MOST_POINTS = 50_000;

interface Candidate<Call> {
  readonly core: readonly Operation<Call>[];
  readonly others: readonly Operation<Call>[];
}

/**
 * Operations are never just left out, which would leave reads without the writes they saw: an answer may be forgotten. Who
 * only reads is then no operation at all; who changes something may have done so at any time, or never. If even that
 * explains nothing, the answer has no part in the contradiction.
 */
export function shrinkViolation<State, Call>(
  model: Model<State, Call>,
  { part, operations, stuckAt }: Violation<Call>,
): SmallestViolation<Call> {
  const explain = ({ core, others }: Candidate<Call>): SearchResult<Call> | undefined =>
    tryToExplain(model, part, [...core, ...others]);
  const beginning = upTo(model, operations, stuckAt.end ?? Infinity);
  let best = explain(beginning) === undefined ? { core: operations, others: [] } : beginning;
  let left = MOST_SEARCHES;
  for (const size of halves(best.core.length)) {
    for (const some of chunks(best.core, size)) {
      if (left === 0) break;
      left -= 1;
      const fewer = forget(model, best, some);
      if (explain(fewer) !== undefined) best = fewer;
    }
  }
  const { order = [], stuckAt: last = stuckAt } = explain(best) ?? {};
  return { part, ...best, order, stuckAt: last };
}

/** 1 comes last. */
function halves(length: number): readonly number[] {
  const half = Math.ceil(length / 2);
  return half <= 1 ? [1] : [half, ...halves(half)];
}

/** The last ones first: a contradiction is at the end. */
function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const starts = Array.from({ length: Math.ceil(items.length / size) }, (_, index) => index * size);
  return starts.toReversed().map((start) => items.slice(start, start + size));
}

/** Undefined where there is an explanation, or nobody knows. */
function tryToExplain<State, Call>(
  model: Model<State, Call>,
  part: string,
  operations: readonly Operation<Call>[],
): SearchResult<Call> | undefined {
  try {
    const result = searchPart(model, part, operations, { maxVisited: MOST_POINTS });
    return result.isLinearizable ? undefined : result;
  } catch (error) {
    if (isHoldfastError(error, 'CHECK_UNDECIDED')) return undefined;
    throw error;
  }
}

/** As it was known at `instant`: what had not ended yet may or may not happen. */
function upTo<State, Call>(
  model: Model<State, Call>,
  operations: readonly Operation<Call>[],
  instant: number,
): Candidate<Call> {
  const begun = operations
    .filter(({ start }) => start <= instant)
    .toSorted((left, right) => left.start - right.start);
  const late = begun.filter(({ end = Infinity }) => end > instant);
  return forget(model, { core: begun, others: [] }, late);
}

function forget<State, Call>(
  model: Model<State, Call>,
  { core, others }: Candidate<Call>,
  forgotten: readonly Operation<Call>[],
): Candidate<Call> {
  const changes = forgotten
    .filter(({ call }) => model.effect(call) !== 'reads')
    .map(({ client, call, start }) => ({ client, call, start }));
  return {
    core: core.filter((operation) => !forgotten.includes(operation)),
    others: [...others, ...changes],
  };
}
