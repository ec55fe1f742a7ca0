/** @module What a leader sends to keep its followers' logs equal to its own (Raft §5.3, §7). */
import { payloadSizeBytes } from './entry-size.ts';
import { invariant, isRaftError } from './errors.ts';
import { EMPTY_BYTES } from './messages.ts';
import type { Progress } from './progress.ts';
import type { RaftState } from './raft-state.ts';
import type { Entry, NodeId, Snapshot } from './types.ts';

/** Whether a MsgApp without entries (a probe, or a commit index) is worth sending. */
export type EmptyAppend = 'send-empty' | 'skip-empty';

/** Sends the next entries, or a snapshot where they are compacted away. Says whether anything was sent. */
export function maybeSendAppend(
  raft: RaftState,
  to: NodeId,
  progress: Progress,
  empty: EmptyAppend,
): boolean {
  if (progress.isPaused()) return false;
  const { log } = raft;
  const index = progress.next - 1;
  const logTerm = log.term(index);
  if (logTerm === undefined) return maybeSendSnapshot(raft, to, progress);
  // When throttled, an empty message keeps the follower's commit index moving.
  const throttled = progress.state === 'StateReplicate' && progress.inflights.isFull();
  const entries = throttled ? [] : entriesOrCompacted(raft, progress);
  if (entries === undefined) return maybeSendSnapshot(raft, to, progress);
  if (entries.length === 0 && empty === 'skip-empty') return false;
  raft.send({ type: 'MsgApp', to, index, logTerm, entries, commit: log.committed });
  progress.sentEntries(entries.length, payloadSizeBytes(entries));
  progress.sentCommitIndex(log.committed);
  return true;
}

/** Sends at least the commit index, unless paused. */
export function sendAppend(raft: RaftState, to: NodeId, progress: Progress): void {
  maybeSendAppend(raft, to, progress, 'send-empty');
}

export function broadcastAppend(raft: RaftState): void {
  for (const [id, progress] of raft.tracker.members()) if (id !== raft.id) sendAppend(raft, id, progress);
}

/** With `context` of a read that waits, or empty. */
export function broadcastHeartbeat(raft: RaftState, context: Uint8Array): void {
  for (const [to, progress] of raft.tracker.members()) {
    if (to === raft.id) continue;
    // Never past what the follower is known to have: it may hold other entries beyond.
    const commit = Math.min(progress.match, raft.log.committed);
    raft.send({ type: 'MsgHeartbeat', to, commit, ...(context !== EMPTY_BYTES && { context }) });
    progress.sentCommitIndex(commit);
  }
}

function entriesOrCompacted(raft: RaftState, progress: Progress): Entry[] | undefined {
  try {
    return raft.log.entries(progress.next, raft.config.maxSizePerMsgBytes);
  } catch (error) {
    if (isRaftError(error, 'RAFT_COMPACTED')) return undefined;
    throw error;
  }
}

function maybeSendSnapshot(raft: RaftState, to: NodeId, progress: Progress): boolean {
  const { logger } = raft.config;
  // Snapshots are dear: none to a node that may be dead.
  if (!progress.recentActive) return false;
  const snapshot = snapshotIfAvailable(raft);
  if (snapshot === undefined) {
    logger.debug(`${raft.id} has no snapshot for ${to} yet`);
    return false;
  }
  const { index, term } = snapshot.metadata;
  invariant(index > 0, () => 'the log is compacted, but there is no snapshot');
  progress.becomeSnapshot(index);
  raft.send({ type: 'MsgSnap', to, snapshot });
  logger.debug(`${raft.id} sent snapshot ${term}/${index} to ${to}`);
  return true;
}

function snapshotIfAvailable(raft: RaftState): Snapshot | undefined {
  try {
    return raft.log.snapshot();
  } catch (error) {
    if (isRaftError(error, 'RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE')) return undefined;
    throw error;
  }
}
