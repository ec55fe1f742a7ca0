/** @module Where a log leads: the configuration in force, and each one that its membership changes will bring, committed or not. */
import { Changer } from './conf-change.ts';
import { restoreConfiguration } from './conf-restore.ts';
import { changedBy } from './membership.ts';
import { ProgressTracker } from './tracker.ts';
import type { ConfChange, ConfState } from './types.ts';

/** Nothing is sent by this tracker. */
const NO_LIMITS = { maxInflightMsgs: 1, maxInflightBytes: 1 } as const;

/** `changes`, in their order, follow `confState`, which is the first of the result. Throws RAFT_CONF_CHANGE_INVALID. */
export function configurationsAfter(
  confState: ConfState,
  changes: readonly ConfChange[],
): readonly ConfState[] {
  const tracker = new ProgressTracker(NO_LIMITS);
  const before = restoreConfiguration(confState, 0, NO_LIMITS);
  tracker.switchTo(before.configuration, before.progress);
  const found = [confState];
  for (const change of changes) {
    const { configuration, progress } = changedBy(new Changer(tracker, 0), change);
    tracker.switchTo(configuration, progress);
    found.push(tracker.confState());
  }
  return found;
}
