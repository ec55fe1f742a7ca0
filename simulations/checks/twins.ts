/** @module Twins: open operations that ask the same and were told the same, of which only one needs to be tried at a time. */
import type { PlacedOperation } from './placed-operation.ts';
import type { Configuration } from './visited.ts';

/**
 * Of the open operations that are not taken, those worth to be the next: no twin of theirs (the same request and answer) must
 * go before them. Of two twins that are both owed or both free the one that ends first may go first, and before a free one
 * goes an owed one that ends first: an order that takes the later one now takes the earlier one later, if at all, and the
 * two can change places, since both are open now and the later one still is when the earlier one takes effect.
 */
export function firstOfEachKind<Call>(
  { owed, free }: Pick<Configuration<unknown>, 'owed' | 'free'>,
  open: readonly PlacedOperation<Call>[],
): readonly PlacedOperation<Call>[] {
  const owedKinds = new Set<number>();
  const freeKinds = new Set<number>();
  // They are in the order of their ends.
  return open.filter(({ bit, kind }) => {
    const isOwed = (owed & bit) !== 0n;
    if ((!isOwed && (free & bit) === 0n) || owedKinds.has(kind)) return false;
    if (!isOwed && freeKinds.has(kind)) return false;
    (isOwed ? owedKinds : freeKinds).add(kind);
    return true;
  });
}
