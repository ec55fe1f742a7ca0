/** @module The way the search has come, read as an order of operations. */
import type { Timeline } from './timeline.ts';
import type { PlacedOperation } from './placed-operation.ts';

/** What took effect, the last first. */
export interface Path<Call> {
  readonly operation: PlacedOperation<Call>;
  /** Bits of those open at `at` that may have taken effect just before it, unseen. */
  readonly wiped: bigint;
  /** Index of the moment at which it was taken. */
  readonly at: number;
  readonly before: Path<Call> | undefined;
}

/** Everything that ended before the moment `at`, and whatever else took effect, the first first. */
export function orderOf<Call>(
  { moments }: Timeline<Call>,
  { at, path: last }: { readonly at: number; readonly path: Path<Call> | undefined },
): readonly PlacedOperation<Call>[] {
  const now = moments[at]?.operation.endAt ?? Infinity;
  const backwards: PlacedOperation<Call>[] = [];
  const taken = new Set<PlacedOperation<Call>>();
  for (let path = last; path !== undefined; path = path.before) taken.add(path.operation);
  for (let path = last; path !== undefined; path = path.before) {
    backwards.push(path.operation);
    if (path.wiped === 0n) continue;
    for (const operation of moments[path.at]?.open ?? []) {
      const isWiped = (operation.bit & path.wiped) !== 0n;
      if (!isWiped || taken.has(operation) || operation.endAt >= now) continue;
      taken.add(operation);
      backwards.push(operation);
    }
  }
  return backwards.toReversed();
}
