/** @module What a leader takes into its log: entries within a quota, membership changes one at a time. */
import { decodeConfChange } from './conf-change-codec.ts';
import { payloadSizeBytes } from './entry-size.ts';
import { invariant, proposalDropped } from './errors.ts';
import { EMPTY_BYTES } from './messages.ts';
import type { RaftState } from './raft-state.ts';
import { broadcastAppend } from './replication.ts';
import { NO_NODE } from './types.ts';
import type { ConfChange, Entry, EntryType, Index } from './types.ts';

/** An entry before the leader has given it a place. */
export function draftEntry(type: EntryType, data: Uint8Array): Entry {
  return { term: 0, index: 0, type, data };
}

/** Appends and replicates. Throws RAFT_PROPOSAL_DROPPED; nothing is appended then. */
export function propose(raft: RaftState, drafts: readonly Entry[]): void {
  invariant(drafts.length > 0, () => 'a proposal has no entry');
  if (!raft.tracker.has(raft.id))
    throw proposalDropped('leader-removed', `Leader ${raft.id} was removed; propose at the next leader.`);
  if (raft.leadTransferee !== NO_NODE)
    throw proposalDropped(
      'transfer-in-progress',
      `Leadership moves to ${raft.leadTransferee}; propose again at the new leader.`,
    );
  const pendingConfIndex = raft.pendingConfIndex;
  const next = raft.log.lastIndex() + 1;
  const admitted = drafts.map((draft, i) => admitConfChange(raft, draft, next + i));
  if (!appendEntries(raft, admitted)) {
    raft.pendingConfIndex = pendingConfIndex;
    throw proposalDropped(
      'too-much-uncommitted',
      `${raft.uncommittedBytes} bytes wait for a quorum already; propose again when some are committed.`,
    );
  }
  broadcastAppend(raft);
}

/** A leader's append. Says false, and appends nothing, when too much is uncommitted already. */
export function appendEntries(raft: RaftState, drafts: readonly Entry[]): boolean {
  const payloadBytes = payloadSizeBytes(drafts);
  const limit = raft.config.maxUncommittedSizeBytes || Infinity;
  // The first payload always passes, however large; empty entries always do.
  if (raft.uncommittedBytes > 0 && payloadBytes > 0 && raft.uncommittedBytes + payloadBytes > limit)
    return false;
  raft.uncommittedBytes += payloadBytes;
  const first = raft.log.lastIndex() + 1;
  const entries = drafts.map(({ type, data }, i) => ({ term: raft.term, index: first + i, type, data }));
  const index = raft.log.append(entries);
  // The leader counts itself only once this comes back, after its own disk write.
  raft.send({ type: 'MsgAppResp', to: raft.id, index });
  return true;
}

/** A membership change that may not be made now is replaced by an empty entry; other entries pass. */
function admitConfChange(raft: RaftState, draft: Entry, index: Index): Entry {
  if (draft.type === 'EntryNormal') return draft;
  const refusal = refuseConfChange(raft, decodeConfChange(draft.data));
  if (refusal === undefined || raft.config.disableConfChangeValidation === true) {
    raft.pendingConfIndex = index;
    return draft;
  }
  raft.config.logger.info(`${raft.id} ignored a membership change: ${refusal}`);
  return draftEntry('EntryNormal', EMPTY_BYTES);
}

function refuseConfChange(raft: RaftState, { changes }: ConfChange): string | undefined {
  const { tracker, log, pendingConfIndex } = raft;
  const leavesJoint = changes.length === 0;
  if (pendingConfIndex > log.applied)
    return `one may be pending at index ${pendingConfIndex}, applied is ${log.applied}`;
  if (tracker.isJoint() && !leavesJoint) return 'must transition out of joint config first';
  if (!tracker.isJoint() && leavesJoint) return 'not in joint state; refusing empty conf change';
  // Two leaders could otherwise commit two changes with quorums that do not meet (raft-dev 2015). One voter cannot.
  if (!tracker.isOnlyVoter(raft.id) && !raft.hasCommittedInTerm())
    return 'nothing is committed in this term yet';
  return undefined;
}
