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

export interface ShrinkOptions {
  /** Ends it with the smallest part that was found by then. */
  readonly isTimeUp: () => boolean;
}

/** Searches that are spent on making it smaller, and the points each may keep. */
const MOST_SEARCHES = 600;
const MOST_POINTS = 50_000;
/** Of more than these the beginning is left out as a whole, where that can be done. */
const MANY_OPERATIONS = 2_000;

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
  { part, operations, order, stuckAt }: Violation<Call>,
  { isTimeUp }: ShrinkOptions,
): SmallestViolation<Call> {
  const explain = ({ core, others }: Candidate<Call>): SearchResult<Call> | undefined =>
    tryToExplain(model, part, [...core, ...others], isTimeUp);
  let best: Candidate<Call> = { core: operations, others: [] };
  let explained = { order, stuckAt };
  const keep = (candidate: Candidate<Call>): void => {
    const found = explain(candidate);
    if (found?.stuckAt === undefined) return;
    best = candidate;
    explained = { order: found.order, stuckAt: found.stuckAt };
  };
  const sorted = operations.toSorted((left, right) => left.start - right.start);
  for (const instant of instantsFrom(stuckAt.end ?? Infinity, sorted)) {
    if (best.core !== operations || isTimeUp()) break;
    keep(upTo(model, sorted, instant));
  }
  const anchor =
    best.core.length > MANY_OPERATIONS ? loneReplacement(model, best.core, stuckAt.start) : undefined;
  if (anchor !== undefined) keep(behind(best, anchor));
  let left = MOST_SEARCHES;
  const forgettable = best.core.filter((operation) => operation !== anchor);
  for (const size of halves(forgettable.length)) {
    for (const some of chunks(forgettable, size)) {
      if (left === 0 || isTimeUp()) break;
      const isLeft = new Set(best.core);
      const known = some.filter((operation) => isLeft.has(operation));
      if (known.length === 0) continue;
      left -= 1;
      keep(forget(model, best, known));
    }
  }
  return { part, ...best, ...explained };
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
  isTimeUp: () => boolean,
): SearchResult<Call> | undefined {
  try {
    const result = searchPart(model, part, operations, { maxVisited: MOST_POINTS, isTimeUp });
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
  const begun = operations.filter(({ start }) => start <= instant);
  const late = begun.filter(({ end = Infinity }) => end > instant);
  return forget(model, { core: begun, others: [] }, late);
}

/** Ends of operations at `first` and later, each twice as far ahead as the one before: what contradicts itself may come later. */
function instantsFrom<Call>(first: number, operations: readonly Operation<Call>[]): readonly number[] {
  const ends = operations
    .flatMap(({ end }) => (end === undefined || end < first ? [] : [end]))
    .toSorted((left, right) => left - right);
  return ends.filter((_, ahead) => (ahead & (ahead + 1)) === 0);
}

/** The last one before `instant` that replaces everything and that no other overlaps: nobody saw any more what was before it. */
function loneReplacement<State, Call>(
  model: Model<State, Call>,
  operations: readonly Operation<Call>[],
  instant: number,
): Operation<Call> | undefined {
  const known = operations
    .filter(({ end }) => end !== undefined)
    .toSorted((left, right) => left.start - right.start);
  let latestEnd = -Infinity;
  let found: Operation<Call> | undefined;
  for (const [at, operation] of known.entries()) {
    const { start, end = Infinity, call } = operation;
    if (start > instant) break;
    const next = known[at + 1]?.start ?? Infinity;
    if (latestEnd < start && end < next && model.effect(call) === 'replaces') found = operation;
    latestEnd = Math.max(latestEnd, end);
  }
  return found;
}

/** What had not ended when `anchor` began. */
function behind<Call>({ core, others }: Candidate<Call>, anchor: Operation<Call>): Candidate<Call> {
  return { core: core.filter(({ end = Infinity }) => end >= anchor.start), others };
}

function forget<State, Call>(
  model: Model<State, Call>,
  { core, others }: Candidate<Call>,
  forgotten: readonly Operation<Call>[],
): Candidate<Call> {
  const isForgotten = new Set(forgotten);
  const changes = forgotten
    .filter(({ call }) => model.effect(call) !== 'reads')
    .map(({ client, call, start }) => ({ client, call, start }));
  return {
    core: core.filter((operation) => !isForgotten.has(operation)),
    others: [...others, ...changes],
  };
}
