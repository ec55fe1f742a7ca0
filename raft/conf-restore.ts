/** @module A configuration rebuilt from its description, as a node does at start and from a snapshot. */
import { Changer } from './conf-change.ts';
import type { ChangedConfiguration } from './conf-change.ts';
import { ProgressTracker } from './tracker.ts';
import type { InflightLimits } from './tracker.ts';
import type { ConfChangeSingle, ConfChangeType, ConfState, Index, NodeId } from './types.ts';

/** The configuration that `confState` describes, built by the same steps that once led to it. */
export function restoreConfiguration(
  confState: ConfState,
  lastIndex: Index,
  limits: InflightLimits,
): ChangedConfiguration {
  const tracker = new ProgressTracker(limits);
  const step = (changed: ChangedConfiguration): void =>
    tracker.switchTo(changed.configuration, changed.progress);
  const { incoming, outgoing } = changesTo(confState);
  for (const change of outgoing) step(new Changer(tracker, lastIndex).simple([change]));
  if (outgoing.length > 0) step(new Changer(tracker, lastIndex).enterJoint(confState.autoLeave, incoming));
  else for (const change of incoming) step(new Changer(tracker, lastIndex).simple([change]));
  return { configuration: tracker.configuration, progress: tracker.progressMap };
}

function changesTo(confState: ConfState): { incoming: ConfChangeSingle[]; outgoing: ConfChangeSingle[] } {
  return {
    outgoing: each('ConfChangeAddNode', confState.votersOutgoing),
    incoming: [
      ...each('ConfChangeRemoveNode', confState.votersOutgoing),
      ...each('ConfChangeAddNode', confState.voters),
      ...each('ConfChangeAddLearnerNode', confState.learners),
      ...each('ConfChangeAddLearnerNode', confState.learnersNext),
    ],
  };
}

function each(type: ConfChangeType, ids: readonly NodeId[]): ConfChangeSingle[] {
  return ids.map((nodeId) => ({ type, nodeId }));
}
