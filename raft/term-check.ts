/** @module The rule before all others (Raft §5.1): what a message's term does to this node. */
import { snapshotApplied } from './applied.ts';
import { isTransferCampaign } from './election.ts';
import type { RaftState } from './raft-state.ts';
import type { Message } from './types.ts';
import { NO_NODE } from './types.ts';

/** Follows higher terms and turns away lower ones. Says whether the message is to be handled further. */
export function admitTerm(raft: RaftState, m: Message): boolean {
  if (m.term === 0 || m.term === raft.term) return true;
  if (m.term < raft.term) {
    refuseStale(raft, m);
    return false;
  }
  const isVoteRequest = m.type === 'MsgVote' || m.type === 'MsgPreVote';
  if (isVoteRequest && !isTransferCampaign(m) && isInLease(raft)) {
    raft.config.logger.info(
      `${raft.id} ignored ${m.type} from ${m.from}: leader ${raft.lead} was heard of lately`,
    );
    return false;
  }
  // A pre-vote is about a future term; nobody enters it before a real election.
  if (m.type === 'MsgPreVote' || (m.type === 'MsgPreVoteResp' && m.reject !== true)) return true;
  raft.config.logger.info(`${raft.id} [term ${raft.term}] got ${m.type} of term ${m.term} from ${m.from}`);
  const isFromLeader = m.type === 'MsgApp' || m.type === 'MsgHeartbeat' || m.type === 'MsgSnap';
  raft.becomeFollower(m.term, isFromLeader ? m.from : NO_NODE);
  return true;
}

/** Leader stickiness (thesis §4.2.3): a leader heard of within an election time-out is not disturbed. */
function isInLease(raft: RaftState): boolean {
  const { checkQuorum, electionTick } = raft.config;
  return checkQuorum && raft.lead !== NO_NODE && raft.electionElapsed < electionTick;
}

function refuseStale(raft: RaftState, m: Message): void {
  const { preVote, checkQuorum, logger } = raft.config;
  if ((checkQuorum || preVote) && (m.type === 'MsgHeartbeat' || m.type === 'MsgApp')) {
    // Our higher term never reaches a leader by votes that it ignores; this answer makes it step down (etcd#8501).
    raft.send({ type: 'MsgAppResp', to: m.from });
    return;
  }
  if (m.type === 'MsgPreVote') {
    // Without the answer two nodes of different terms could refuse each other for ever.
    raft.send({ type: 'MsgPreVoteResp', to: m.from, term: raft.term, reject: true });
    return;
  }
  // The entries of an older term may have been replaced since; a later write attests what stands now.
  if (m.type === 'MsgStorageAppendResp' && m.snapshot !== undefined) snapshotApplied(raft, m.snapshot);
  logger.info(`${raft.id} [term ${raft.term}] ignored ${m.type} of term ${m.term} from ${m.from}`);
}
