/** @module Garbage collection's place in the log: eras, pause, undo. What is collected is decided on the datanodes. */
import { collectionOf } from '../collection.ts';
import { invalidArgument, noCluster, recoveryOpen } from '../errors.ts';
import { END_OF_TABLE } from '../keys.ts';
import { MAX_ERA_MS, MAX_FORGOTTEN_GARBAGE, MAX_GRACE_MS, MIN_ERA_MS, MIN_GRACE_MS } from '../limits.ts';
import { DONE } from '../results.ts';
import { META_CLUSTER } from '../rows.ts';
import type { RowView } from '../row-view.ts';
import type { BeginEra, Collection, ConfigureCollection, Result } from '../schema.ts';

/** Two leaders may propose the same era: it begins once. */
export function beginEra(view: RowView, { era }: BeginEra): Result {
  const collection = collectionOf(view.cluster);
  if (era !== collection.era + 1) return DONE;
  for (const { key } of view.scan('garbage', '', END_OF_TABLE, MAX_FORGOTTEN_GARBAGE))
    view.remove('garbage', key);
  putCollection(view, { ...collection, paused: isPaused(view), era });
  return DONE;
}

/** Refuses with NAMESPACE_INVALID_ARGUMENT, and with NAMESPACE_RECOVERY_OPEN to resume while a recovery is open. */
export function configureCollection(
  view: RowView,
  { paused, undo, eraMs, graceMs, recovering }: ConfigureCollection,
): Result {
  checkTime('An era', eraMs, MIN_ERA_MS, MAX_ERA_MS);
  checkTime('The time from quarantine to deletion', graceMs, MIN_GRACE_MS, MAX_GRACE_MS);
  const before = collectionOf(view.cluster);
  const staysOpen = recovering ?? before.recovering ?? false;
  if (paused === false && staysOpen) throw recoveryOpen();
  putCollection(view, {
    // What is taken out from now on is not what was undone.
    era: undo ? before.era + 1 : before.era,
    paused: undo || (paused ?? isPaused(view)),
    undoneEra: undo ? before.era : before.undoneEra,
    eraMs: eraMs || before.eraMs,
    graceMs: graceMs || before.graceMs,
    recovering: staysOpen || undefined,
  });
  return DONE;
}

/** What somebody said, whether or not a recovery is open. */
function isPaused({ cluster }: RowView): boolean {
  return cluster?.collection?.paused ?? false;
}

function checkTime(what: string, timeMs: number, leastMs: number, mostMs: number): void {
  if (timeMs === 0 || (timeMs >= leastMs && timeMs <= mostMs)) return;
  throw invalidArgument(`${what} is ${leastMs / 1000} s to ${mostMs / 86_400_000} days long.`, {
    got: timeMs,
  });
}

function putCollection(view: RowView, collection: Collection): void {
  const { cluster } = view;
  if (cluster === undefined) throw noCluster();
  view.put('meta', META_CLUSTER, { ...cluster, collection });
}
