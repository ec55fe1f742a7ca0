/** @module The one way in: every event, of the network, the clock, the shell or the disk, goes through step(). */
import { entriesApplied, snapshotApplied } from './applied.ts';
import { stepCandidate } from './candidate.ts';
import { hup, stepVoteRequest } from './election.ts';
import { stepFollower } from './follower.ts';
import { stepLeader } from './leader.ts';
import type { RaftState } from './raft-state.ts';
import { admitTerm } from './term-check.ts';
import type { Message } from './types.ts';

/** A term of 0 marks a local event. Throws RAFT_PROPOSAL_DROPPED and RAFT_BAD_ENCODING for a MsgProp. */
export function step(raft: RaftState, m: Message): void {
  if (!admitTerm(raft, m)) return;
  switch (m.type) {
    case 'MsgHup':
      hup(raft, raft.config.preVote ? 'pre-election' : 'election');
      return;
    case 'MsgStorageAppendResp':
      if (m.index !== 0) raft.log.unstable.stableTo({ term: m.logTerm, index: m.index });
      if (m.snapshot !== undefined) snapshotApplied(raft, m.snapshot);
      return;
    case 'MsgStorageApplyResp':
      entriesApplied(raft, m.entries);
      stepPostponedSnapshot(raft);
      return;
    case 'MsgVote':
    case 'MsgPreVote':
      stepVoteRequest(raft, m, m.type);
      return;
    default:
      stepRole(raft, m);
  }
}

function stepRole(raft: RaftState, m: Message): void {
  switch (raft.state) {
    case 'StateFollower':
      stepFollower(raft, m);
      return;
    case 'StatePreCandidate':
    case 'StateCandidate':
      stepCandidate(raft, m);
      return;
    case 'StateLeader':
      stepLeader(raft, m);
  }
}

/** See follower.ts handleSnapshot: it waited for the entries that were being applied. */
function stepPostponedSnapshot(raft: RaftState): void {
  const snapshot = raft.postponedSnapshot;
  raft.postponedSnapshot = undefined;
  if (snapshot !== undefined) step(raft, snapshot);
}
