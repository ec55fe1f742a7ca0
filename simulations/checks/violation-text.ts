/** @module A violation in words: what was seen last before no order explained it any more. */
import type { Violation } from './linearizability.ts';
import type { Model } from './model.ts';

const MOST_LINES = 40;

export function describeViolation<State, Call>(
  model: Model<State, Call>,
  { part, operations, stuckAt }: Violation<Call>,
): string {
  const end = stuckAt.end ?? Infinity;
  const lines = operations
    .filter(({ start }) => start <= end)
    .toSorted((left, right) => left.start - right.start)
    .slice(-MOST_LINES)
    .map(
      (operation) =>
        `  [${operation.start}, ${operation.end ?? '…'}] client ${operation.client} ${model.describe(operation.call)}`,
    );
  return `${part} is not linearizable: nothing explains what was seen up to ${end}.\n${lines.join('\n')}`;
}
