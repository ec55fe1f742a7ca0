/** @module What a leader learns from its followers' answers. */
import { releasePostponedReads, stepReadAck } from './leader-reads.ts';
import type { Progress } from './progress.ts';
import type { RaftState } from './raft-state.ts';
import { broadcastAppend, maybeSendAppend, sendAppend } from './replication.ts';
import type { Message } from './types.ts';

/** `progress` is that of the sender. */
export function stepResponse(raft: RaftState, m: Message, progress: Progress): void {
  switch (m.type) {
    case 'MsgAppResp':
      progress.recentActive = true;
      if (m.reject === true) handleRejection(raft, m, progress);
      else handleAcknowledgement(raft, m, progress);
      return;
    case 'MsgHeartbeatResp':
      handleHeartbeatResponse(raft, m, progress);
      return;
    case 'MsgSnapStatus':
      handleSnapshotStatus(m, progress);
      return;
    case 'MsgUnreachable':
      // What was under way is probably lost: stop being optimistic.
      if (progress.state === 'StateReplicate') progress.becomeProbe();
      return;
    default:
  }
}

/**
 * Fast back-up: the follower's hint (index, term) says where its log may agree at most; where its term there is below
 * ours, our own log says the same in turn. One of the two bounds ends a divergence of any length in few rounds.
 */
function handleRejection(raft: RaftState, m: Message, progress: Progress): void {
  const hint = m.rejectHint ?? 0;
  const nextProbe = m.logTerm > 0 ? raft.log.findConflictByTerm(hint, m.logTerm).index : hint;
  if (!progress.maybeDecrementTo(m.index, nextProbe)) return;
  if (progress.state === 'StateReplicate') progress.becomeProbe();
  sendAppend(raft, m.from, progress);
}

function handleAcknowledgement(raft: RaftState, m: Message, progress: Progress): void {
  const isNews = progress.maybeUpdate(m.index);
  const endsProbe = progress.state === 'StateProbe' && progress.match === m.index;
  if (!isNews && !endsProbe) return;
  resumeReplication(raft, m, progress);

  // What is committed already commits nothing new: the answers of all but the quorum's last need no count.
  if (progress.match > raft.log.committed && raft.maybeCommit()) {
    releasePostponedReads(raft);
    broadcastAppend(raft);
  } else if (m.from !== raft.id && progress.canBumpCommit(raft.log.committed)) {
    sendAppend(raft, m.from, progress);
  }
  if (m.from === raft.id) return;
  // Room for more may have appeared, of several messages.
  while (maybeSendAppend(raft, m.from, progress, 'skip-empty'));
  if (m.from === raft.leadTransferee && progress.match === raft.log.lastIndex())
    raft.send({ type: 'MsgTimeoutNow', to: m.from });
}

function resumeReplication(raft: RaftState, m: Message, progress: Progress): void {
  switch (progress.state) {
    case 'StateProbe':
      progress.becomeReplicate();
      return;
    case 'StateSnapshot':
      // Caught up with our log by whatever way; probing first takes the pending snapshot into account.
      if (progress.match + 1 < raft.log.firstIndex()) return;
      progress.becomeProbe();
      progress.becomeReplicate();
      return;
    case 'StateReplicate':
      progress.inflights.freeUpTo(m.index);
  }
}

function handleHeartbeatResponse(raft: RaftState, m: Message, progress: Progress): void {
  progress.recentActive = true;
  if (m.reject === true) {
    raft.config.logger.error(
      `${m.from} lost what it had acknowledged, up to ${progress.match}; sending it again`,
    );
    progress.becomeLost(m.rejectHint ?? 0);
  }
  progress.appFlowPaused = false;
  // Also when inflights are full: all of them may be lost, and an empty probe finds that out.
  if (progress.match < raft.log.lastIndex() || progress.state === 'StateProbe')
    sendAppend(raft, m.from, progress);
  stepReadAck(raft, m);
}

function handleSnapshotStatus(m: Message, progress: Progress): void {
  if (progress.state !== 'StateSnapshot') return;
  // After a failure, probe from the log's old place, not from behind a snapshot that never arrived.
  if (m.reject === true) progress.pendingSnapshot = 0;
  progress.becomeProbe();
  // Done: the follower's MsgAppResp comes next. Failed: wait for a heartbeat before the next try.
  progress.appFlowPaused = true;
}
