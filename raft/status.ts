/** @module A readable copy of a node's state. */
import type { Progress, ProgressState } from './progress.ts';
import type { RaftState } from './raft-state.ts';
import type { ConfState, Index, NodeId, StateType, Term } from './types.ts';

/** What a leader knows of one member. */
export interface ProgressStatus {
  readonly id: NodeId;
  readonly match: Index;
  readonly next: Index;
  readonly state: ProgressState;
  readonly isLearner: boolean;
  /** Heard of since the last check-quorum. */
  readonly recentActive: boolean;
  readonly paused: boolean;
  /** Index of the snapshot on its way, 0 if none. */
  readonly pendingSnapshot: Index;
  /** MsgApps under way. */
  readonly inflight: number;
  /** As many are under way as may be. */
  readonly inflightFull: boolean;
}

export interface Status {
  readonly id: NodeId;
  readonly term: Term;
  readonly vote: NodeId;
  readonly lead: NodeId;
  readonly raftState: StateType;
  /** Target of a leadership transfer in progress, else 0. */
  readonly leadTransferee: NodeId;
  readonly commit: Index;
  readonly applied: Index;
  readonly firstIndex: Index;
  readonly lastIndex: Index;
  readonly confState: ConfState;
  /** True on a leader that has committed in its term, i.e. whose commit index is the cluster's. */
  readonly committedInTerm: boolean;
  /** By id, ascending; empty unless leader. */
  readonly progress: readonly ProgressStatus[];
}

export function raftStatus(raft: RaftState): Status {
  return {
    id: raft.id,
    term: raft.term,
    vote: raft.vote,
    lead: raft.lead,
    raftState: raft.state,
    leadTransferee: raft.leadTransferee,
    commit: raft.log.committed,
    applied: raft.log.applied,
    firstIndex: raft.log.firstIndex(),
    lastIndex: raft.log.lastIndex(),
    confState: raft.tracker.confState(),
    committedInTerm: raft.state === 'StateLeader' && raft.hasCommittedInTerm(),
    progress:
      raft.state === 'StateLeader'
        ? raft.tracker.members().map(([id, progress]) => progressStatus(id, progress))
        : [],
  };
}

export function progressStatus(id: NodeId, progress: Progress): ProgressStatus {
  return {
    id,
    match: progress.match,
    next: progress.next,
    state: progress.state,
    isLearner: progress.isLearner,
    recentActive: progress.recentActive,
    paused: progress.isPaused(),
    pendingSnapshot: progress.pendingSnapshot,
    inflight: progress.inflights.count,
    inflightFull: progress.inflights.isFull(),
  };
}
