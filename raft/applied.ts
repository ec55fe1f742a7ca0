/** @module What follows once the shell has applied entries or a snapshot. */
import { entriesSizeBytes, payloadSizeBytes } from './entry-size.ts';
import { isRaftError } from './errors.ts';
import { EMPTY_BYTES } from './messages.ts';
import { draftEntry, propose } from './proposals.ts';
import type { RaftState } from './raft-state.ts';
import type { Entry, Index, Snapshot } from './types.ts';

export function entriesApplied(raft: RaftState, entries: readonly Entry[]): void {
  const last = entries.at(-1);
  if (last === undefined) return;
  appliedTo(raft, last.index, entriesSizeBytes(entries));
  raft.uncommittedBytes = Math.max(0, raft.uncommittedBytes - payloadSizeBytes(entries));
}

export function snapshotApplied(raft: RaftState, snapshot: Snapshot): void {
  const { index } = snapshot.metadata;
  raft.log.unstable.stableSnapshotTo(index);
  appliedTo(raft, index, 0);
}

/** A snapshot may have overtaken these entries: the applied index never goes back. */
function appliedTo(raft: RaftState, index: Index, sizeBytes: number): void {
  raft.log.appliedTo(Math.max(index, raft.log.applied), sizeBytes);
  leaveJointWhenDone(raft);
}

/** Proposes to leave a joint configuration once it is applied, where the change asked for that. */
function leaveJointWhenDone(raft: RaftState): void {
  const { tracker, log, config } = raft;
  if (!tracker.configuration.autoLeave || raft.state !== 'StateLeader') return;
  if (log.applied < raft.pendingConfIndex) return;
  try {
    // An empty payload is never too large, so only a transfer can stand in the way; the next apply tries again.
    propose(raft, [draftEntry('EntryConfChangeV2', EMPTY_BYTES)]);
    config.logger.info('initiating automatic transition out of joint configuration');
  } catch (error) {
    if (!isRaftError(error, 'RAFT_PROPOSAL_DROPPED')) throw error;
    config.logger.debug(`not leaving the joint configuration yet: ${error.message}`);
  }
}
