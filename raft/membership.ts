/** @module Membership changes taking effect: when a change is applied, and when a snapshot is installed. */
import { Changer } from './conf-change.ts';
import type { ChangedConfiguration } from './conf-change.ts';
import { restoreConfiguration } from './conf-restore.ts';
import type { RaftState } from './raft-state.ts';
import { broadcastAppend, maybeSendAppend } from './replication.ts';
import { NO_NODE } from './types.ts';
import type { ConfChange, ConfState, Snapshot } from './types.ts';

/** Makes a committed change effective. Throws RAFT_CONF_CHANGE_INVALID. */
export function applyConfChange(raft: RaftState, change: ConfChange): ConfState {
  const changer = new Changer(raft.tracker, raft.log.lastIndex());
  return switchToConfiguration(raft, changedBy(changer, change));
}

/**
 * Installs a snapshot from the leader. Says false when it brings nothing new. Unlike etcd, it takes one whose
 * configuration lacks this node: the change that adds it follows in the log, and refusing would leave a new member
 * waiting until the leader happens to take a newer snapshot.
 */
export function restoreSnapshot(raft: RaftState, snapshot: Snapshot): boolean {
  const { log } = raft;
  const { index, term, confState } = snapshot.metadata;
  if (index <= log.committed) return false;
  // The log has all that the snapshot stands for: keep what follows (Raft §7).
  if (log.matches({ term, index })) {
    log.commitTo(index);
    return false;
  }
  log.restore(snapshot);
  switchToConfiguration(raft, restoreConfiguration(confState, log.lastIndex(), raft.tracker.limits));
  return true;
}

/** What `change` makes of the configuration of `changer`. Throws RAFT_CONF_CHANGE_INVALID. */
export function changedBy(changer: Changer, change: ConfChange): ChangedConfiguration {
  const { transition, changes } = change;
  const isAuto = transition === 'ConfChangeTransitionAuto';
  if (isAuto && changes.length === 0) return changer.leaveJoint();
  if (isAuto && changes.length === 1) return changer.simple(changes);
  return changer.enterJoint(transition !== 'ConfChangeTransitionJointExplicit', changes);
}

function switchToConfiguration(raft: RaftState, changed: ChangedConfiguration): ConfState {
  const { tracker } = raft;
  tracker.switchTo(changed.configuration, changed.progress);
  const confState = tracker.confState();
  raft.config.logger.info(`${raft.id} switched to configuration ${JSON.stringify(confState)}`);
  if (raft.state === 'StateLeader') leadNewConfiguration(raft, confState);
  return confState;
}

function leadNewConfiguration(raft: RaftState, confState: ConfState): void {
  const { tracker } = raft;
  const own = tracker.progress(raft.id);
  if (own === undefined || own.isLearner) {
    // Raft §6: a leader that is not in the new configuration steps down once that is committed.
    if (raft.config.stepDownOnRemoval) raft.becomeFollower(raft.term, NO_NODE);
    return;
  }
  if (confState.voters.length === 0) return;
  // A smaller quorum may have committed more.
  if (raft.maybeCommit()) broadcastAppend(raft);
  else
    for (const [id, progress] of tracker.members())
      if (id !== raft.id) maybeSendAppend(raft, id, progress, 'skip-empty');
  if (!tracker.isVoter(raft.leadTransferee)) raft.leadTransferee = NO_NODE;
}
