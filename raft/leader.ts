/** @module What a leader does with each event of its own and each request; responses are in leader-responses.ts. */
import { decodeConfChange } from './conf-change-codec.ts';
import { invariant, proposalDropped } from './errors.ts';
import { stepResponse } from './leader-responses.ts';
import { stepReadIndex } from './leader-reads.ts';
import { EMPTY_BYTES } from './messages.ts';
import type { Raft } from './raft.ts';
import { broadcastAppend, broadcastHeartbeat, sendAppend } from './replication.ts';
import type { Progress } from './progress.ts';
import { NO_NODE } from './types.ts';
import type { Entry, Index, Message } from './types.ts';

export function stepLeader(raft: Raft, m: Message): void {
  switch (m.type) {
    case 'MsgBeat':
      broadcastHeartbeat(raft, raft.readOnly.lastPendingContext());
      return;
    case 'MsgCheckQuorum':
      checkQuorum(raft);
      return;
    case 'MsgProp':
      propose(raft, m.entries);
      return;
    case 'MsgReadIndex':
      stepReadIndex(raft, m);
      return;
    default: {
      const progress = raft.tracker.progress(m.from);
      if (progress === undefined) return;
      if (m.type === 'MsgTransferLeader') transferLeader(raft, m, progress);
      else stepResponse(raft, m, progress);
    }
  }
}

/** A leader cut off from its quorum makes way (thesis §6.2), and clients learn that writes cannot succeed here. */
function checkQuorum(raft: Raft): void {
  if (!raft.tracker.isQuorumActive()) {
    raft.config.logger.warn(`${raft.id} stepped down to follower since quorum is not active`);
    raft.becomeFollower(raft.term, NO_NODE);
  }
  for (const [id, progress] of raft.tracker.members()) if (id !== raft.id) progress.recentActive = false;
}

function propose(raft: Raft, drafts: readonly Entry[]): void {
  invariant(drafts.length > 0, () => 'a proposal has no entry');
  if (!raft.tracker.has(raft.id))
    throw proposalDropped('leader-removed', `Leader ${raft.id} was removed; propose at the next leader.`);
  if (raft.leadTransferee !== NO_NODE)
    throw proposalDropped(
      'transfer-in-progress',
      `Leadership moves to ${raft.leadTransferee}; propose again at the new leader.`,
    );
  const pendingConfIndex = raft.pendingConfIndex;
  const admitted = drafts.map((draft, i) => admitConfChange(raft, draft, raft.log.lastIndex() + 1 + i));
  if (!raft.appendEntries(admitted)) {
    raft.pendingConfIndex = pendingConfIndex;
    throw proposalDropped(
      'too-much-uncommitted',
      `${raft.uncommittedBytes} bytes wait for a quorum already; propose again when some are committed.`,
    );
  }
  broadcastAppend(raft);
}

/** A membership change that may not be made now is replaced by an empty entry; other entries pass. */
function admitConfChange(raft: Raft, draft: Entry, index: Index): Entry {
  if (draft.type === 'EntryNormal') return draft;
  const refusal = refuseConfChange(raft, decodeConfChange(draft.data).changes.length === 0);
  if (refusal === undefined) {
    raft.pendingConfIndex = index;
    return draft;
  }
  raft.config.logger.info(`${raft.id} ignored a membership change: ${refusal}`);
  return { term: 0, index: 0, type: 'EntryNormal', data: EMPTY_BYTES };
}

function refuseConfChange(raft: Raft, leavesJoint: boolean): string | undefined {
  const { tracker, log, pendingConfIndex } = raft;
  if (pendingConfIndex > log.applied)
    return `one may be pending at index ${pendingConfIndex}, applied is ${log.applied}`;
  if (tracker.isJoint() && !leavesJoint) return 'must transition out of joint config first';
  if (!tracker.isJoint() && leavesJoint) return 'not in joint state; refusing empty conf change';
  // Two leaders could otherwise commit two changes with quorums that do not meet (raft-dev 2015). One voter cannot.
  if (!tracker.isOnlyVoter(raft.id) && !raft.hasCommittedInTerm())
    return 'nothing is committed in this term yet';
  return undefined;
}

/** Thesis §3.10. */
function transferLeader(raft: Raft, m: Message, progress: Progress): void {
  const target = m.from;
  if (progress.isLearner || target === raft.id || target === raft.leadTransferee) return;
  raft.config.logger.info(`${raft.id} [term ${raft.term}] starts to transfer leadership to ${target}`);
  raft.electionElapsed = 0;
  raft.leadTransferee = target;
  raft.leaseVoid = true;
  if (progress.match === raft.log.lastIndex()) raft.send({ type: 'MsgTimeoutNow', to: target });
  else sendAppend(raft, target, progress);
}
