/** @module Taking leadership, proving it, and handing it over (Raft §8; thesis §3.10, §6.2). */
import { invariant } from './errors.ts';
import { EMPTY_BYTES } from './messages.ts';
import { appendEntries, draftEntry } from './proposals.ts';
import type { Progress } from './progress.ts';
import type { RaftState } from './raft-state.ts';
import { broadcastAppend, sendAppend } from './replication.ts';
import { NO_NODE } from './types.ts';
import type { NodeId } from './types.ts';

/** Begins with an empty entry of its term, since earlier ones can only be committed along with one (Raft §5.4.2, §8). */
export function takeLeadership(raft: RaftState): void {
  raft.becomeLeader();
  const appended = appendEntries(raft, [draftEntry('EntryNormal', EMPTY_BYTES)]);
  invariant(appended, () => 'the empty entry of a new leader was refused');
  broadcastAppend(raft);
}

/** A leader cut off from its quorum makes way (thesis §6.2), and clients learn that writes cannot succeed here. */
export function checkQuorum(raft: RaftState): void {
  if (!raft.tracker.isQuorumActive()) {
    raft.config.logger.warn(`${raft.id} stepped down to follower since quorum is not active`);
    raft.becomeFollower(raft.term, NO_NODE);
  }
  for (const [id, progress] of raft.tracker.members()) if (id !== raft.id) progress.recentActive = false;
}

/** Thesis §3.10. A learner cannot lead; a target that lags is brought up to date first. */
export function transferLeadership(raft: RaftState, target: NodeId, progress: Progress): void {
  if (progress.isLearner || target === raft.leadTransferee) return;
  // Whoever asks for another target, or for this one, takes the running transfer back.
  raft.leadTransferee = NO_NODE;
  if (target === raft.id) return;
  raft.config.logger.info(`${raft.id} [term ${raft.term}] starts to transfer leadership to ${target}`);
  raft.electionElapsed = 0;
  raft.leadTransferee = target;
  raft.leaseVoid = true;
  if (progress.match === raft.log.lastIndex()) raft.send({ type: 'MsgTimeoutNow', to: target });
  else sendAppend(raft, target, progress);
}
