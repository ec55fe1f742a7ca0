/** @module ReadIndex on the leader (thesis §6.4). */
import type { PendingRead } from './read-only.ts';
import { MAX_PENDING_READS, readContext } from './read-only.ts';
import type { RaftState } from './raft-state.ts';
import { broadcastHeartbeat } from './replication.ts';
import { NO_NODE } from './types.ts';
import type { Message } from './types.ts';

export function stepReadIndex(raft: RaftState, m: Message): void {
  // A new leader does not know yet how far its predecessor committed (etcd#7331). A single voter neither, unlike in
  // etcd: a commit index written without sync may be lost in a crash.
  if (!raft.hasCommittedInTerm()) {
    if (raft.postponedReads.length < MAX_PENDING_READS) raft.postponedReads.push(m);
    else raft.config.logger.warn(`${raft.id} dropped a read: ${MAX_PENDING_READS} wait already`);
    return;
  }
  beginRead(raft, m);
}

/** Called when the leader has committed in its term. */
export function releasePostponedReads(raft: RaftState): void {
  if (raft.postponedReads.length === 0 || !raft.hasCommittedInTerm()) return;
  const reads = raft.postponedReads;
  raft.postponedReads = [];
  for (const read of reads) beginRead(raft, read);
}

/** A follower answered a heartbeat of round `m.context`. */
export function stepReadAck(raft: RaftState, m: Message): void {
  const { context } = m;
  if (context === undefined || context.length === 0) return;
  if (raft.tracker.voteResult(raft.readOnly.acknowledge(m.from, context)) !== 'VoteWon') return;
  for (const read of raft.readOnly.release(context)) answerRead(raft, read);
}

function beginRead(raft: RaftState, m: Message): void {
  const holdsLease = raft.config.readOnlyOption === 'ReadOnlyLeaseBased' && !raft.leaseVoid;
  if (holdsLease || raft.tracker.isOnlyVoter(raft.id)) {
    answerRead(raft, { request: m, index: raft.log.committed });
    return;
  }
  if (raft.readOnly.isFull()) {
    raft.config.logger.warn(`${raft.id} dropped a read: ${MAX_PENDING_READS} wait already`);
    return;
  }
  const context = readContext(m);
  raft.readOnly.add(m, raft.log.committed);
  raft.readOnly.acknowledge(raft.id, context);
  broadcastHeartbeat(raft, context);
}

function answerRead(raft: RaftState, { request, index }: PendingRead): void {
  if (request.from === NO_NODE || request.from === raft.id)
    raft.readStates.push({ index, requestCtx: readContext(request) });
  else raft.send({ type: 'MsgReadIndexResp', to: request.from, index, entries: request.entries });
}
