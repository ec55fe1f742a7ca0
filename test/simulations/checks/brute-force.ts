/** @module Linearizability by trying everything: slow, and plain to see that it is right. */
import type { Model } from '../../../simulations/checks/model.ts';
import type { Operation } from '../../../simulations/checks/operation.ts';

/** Of one part. */
export function isLinearizableByForce<State, Call>(
  model: Model<State, Call>,
  state: State,
  operations: readonly Operation<Call>[],
): boolean {
  if (operations.every(({ end }) => end === undefined)) return true;
  const firstEnd = Math.min(...operations.map(({ end = Infinity }) => end));
  return operations.some((operation) => {
    if (operation.start > firstEnd) return false;
    const next = model.step(state, operation.call);
    if (next === undefined) return false;
    return isLinearizableByForce(
      model,
      next,
      operations.filter((other) => other !== operation),
    );
  });
}

/** Is `order` one that explains everything: each answer right, nothing before its start or after its end, nothing left out? */
export function explains<State, Call>(
  model: Model<State, Call>,
  initial: State,
  operations: readonly Operation<Call>[],
  order: readonly Operation<Call>[],
): boolean {
  const certain = operations.filter(({ end }) => end !== undefined);
  const isWhole = certain.every((operation) => order.some((other) => isSame(other, operation)));
  let state: State | undefined = initial;
  let latestStart = -Infinity;
  for (const operation of order) {
    latestStart = Math.max(latestStart, operation.start);
    if ((operation.end ?? Infinity) < latestStart || state === undefined) return false;
    state = model.step(state, operation.call);
  }
  return isWhole && state !== undefined && new Set(order).size === order.length;
}

function isSame<Call>(left: Operation<Call>, right: Operation<Call>): boolean {
  return left.call === right.call && left.start === right.start && left.client === right.client;
}
