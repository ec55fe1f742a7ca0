/** @module What a candidate or pre-candidate does with each message. */
import { campaign, learnCommit } from './election.ts';
import { proposalDropped } from './errors.ts';
import { stepFollower } from './follower.ts';
import { takeLeadership } from './leadership.ts';
import type { RaftState } from './raft-state.ts';
import { NO_NODE } from './types.ts';
import type { Message } from './types.ts';

export function stepCandidate(raft: RaftState, m: Message): void {
  switch (m.type) {
    case 'MsgProp':
      throw proposalDropped('no-leader', 'An election is under way; propose again when a leader is known.');
    case 'MsgApp':
    case 'MsgHeartbeat':
    case 'MsgSnap':
      // Of this very term: somebody else has won it.
      raft.becomeFollower(m.term, m.from);
      stepFollower(raft, m);
      return;
    case 'MsgVoteResp':
      if (raft.state === 'StateCandidate') countVote(raft, m);
      return;
    case 'MsgPreVoteResp':
      if (raft.state === 'StatePreCandidate') countVote(raft, m);
      return;
    default:
  }
}

function countVote(raft: RaftState, m: Message): void {
  if (m.reject === true && learnCommit(raft, m)) {
    // These votes are of a configuration that is over.
    raft.becomeFollower(raft.term, NO_NODE);
    return;
  }
  raft.tracker.recordVote(m.from, m.reject !== true);
  const { granted, rejected, result } = raft.tracker.tallyVotes();
  raft.config.logger.info(
    `${raft.id} has received ${granted} ${m.type} votes and ${rejected} vote rejections`,
  );
  switch (result) {
    case 'VoteWon':
      if (raft.state === 'StatePreCandidate') {
        campaign(raft, 'election');
        return;
      }
      takeLeadership(raft);
      return;
    case 'VoteLost':
      // Not m.term: a pre-vote is answered in a term that has not begun.
      raft.becomeFollower(raft.term, NO_NODE);
      return;
    case 'VotePending':
  }
}
