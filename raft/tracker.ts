/** @module The members of the group as this node sees them: configuration, progress of each, votes of an election. */
import { Inflights } from './inflights.ts';
import { Progress } from './progress.ts';
import { jointCommittedIndex, jointVoteResult } from './quorum.ts';
import type { JointVoters, VoteResult, Votes } from './quorum.ts';
import type { ConfState, Index, NodeId } from './types.ts';

/** The active configuration. A demoted voter waits in learnersNext while it still votes in the outgoing half. */
export interface Configuration {
  readonly voters: JointVoters;
  readonly learners: ReadonlySet<NodeId>;
  readonly learnersNext: ReadonlySet<NodeId>;
  readonly autoLeave: boolean;
}

export type ProgressMap = ReadonlyMap<NodeId, Progress>;

export const EMPTY_CONFIGURATION: Configuration = {
  voters: [new Set(), new Set()],
  learners: new Set(),
  learnersNext: new Set(),
  autoLeave: false,
};

export interface InflightLimits {
  readonly maxInflightMsgs: number;
  readonly maxInflightBytes: number;
}

export interface VoteTally {
  readonly granted: number;
  readonly rejected: number;
  readonly result: VoteResult;
}

/** Configuration, progress and votes; the configuration changes only whole, by switchTo. */
export class ProgressTracker {
  readonly limits: InflightLimits;
  #configuration: Configuration = EMPTY_CONFIGURATION;
  #confState: ConfState = confStateOf(EMPTY_CONFIGURATION);
  #progress: ProgressMap = new Map();
  /** Sorted by id, so that every run of one seed sends in one order. */
  #members: readonly (readonly [NodeId, Progress])[] = [];
  #votes = new Map<NodeId, boolean>();

  constructor(limits: InflightLimits) {
    this.limits = limits;
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  get progressMap(): ProgressMap {
    return this.#progress;
  }

  switchTo(configuration: Configuration, progress: ProgressMap): void {
    this.#configuration = configuration;
    this.#confState = confStateOf(configuration);
    this.#replaceProgress(progress);
  }

  /** Forgets what was known of every log: a new term has begun, and `lastIndex` is where to probe from. */
  resetProgress(self: NodeId, lastIndex: Index): void {
    const fresh = new Map<NodeId, Progress>();
    for (const [id, { isLearner }] of this.#members) {
      const match = id === self ? lastIndex : 0;
      const inflights = this.newInflights();
      fresh.set(id, new Progress({ match, next: lastIndex + 1, isLearner, recentActive: false, inflights }));
    }
    this.#replaceProgress(fresh);
  }

  newInflights(): Inflights {
    return new Inflights(this.limits.maxInflightMsgs, this.limits.maxInflightBytes);
  }

  has(id: NodeId): boolean {
    return this.#progress.has(id);
  }

  progress(id: NodeId): Progress | undefined {
    return this.#progress.get(id);
  }

  /** All members, learners too, by id ascending. */
  members(): readonly (readonly [NodeId, Progress])[] {
    return this.#members;
  }

  /** Voters of both halves, by id ascending. */
  voterIds(): NodeId[] {
    const [incoming, outgoing] = this.#configuration.voters;
    return sortedIds(new Set([...incoming, ...outgoing]));
  }

  isVoter(id: NodeId): boolean {
    const [incoming, outgoing] = this.#configuration.voters;
    return incoming.has(id) || outgoing.has(id);
  }

  isJoint(): boolean {
    return this.#configuration.voters[1].size > 0;
  }

  /**
   * `id` is the only voter, so that its word is the quorum's. Who the voter is matters, unlike in etcd: a leader that
   * demoted itself goes on leading for a while, and its word is worth nothing (simulation seed 338).
   */
  isOnlyVoter(id: NodeId): boolean {
    return (
      this.#configuration.voters[0].size === 1 && this.#configuration.voters[0].has(id) && !this.isJoint()
    );
  }

  /** Largest index that a quorum of the configuration is known to have. */
  committed(): Index {
    return jointCommittedIndex(this.#configuration.voters, (id) => this.#progress.get(id)?.match);
  }

  /** Whether a quorum was heard of since the last check. */
  isQuorumActive(): boolean {
    const active = new Map<NodeId, boolean>();
    for (const [id, progress] of this.#members)
      if (!progress.isLearner) active.set(id, progress.recentActive);
    return this.voteResult(active) === 'VoteWon';
  }

  voteResult(votes: Votes): VoteResult {
    return jointVoteResult(this.#configuration.voters, votes);
  }

  resetVotes(): void {
    this.#votes = new Map();
  }

  /** The first vote of a node counts, later ones are ignored. */
  recordVote(id: NodeId, granted: boolean): void {
    if (!this.#votes.has(id)) this.#votes.set(id, granted);
  }

  tallyVotes(): VoteTally {
    let granted = 0;
    let rejected = 0;
    for (const [id, progress] of this.#members) {
      const vote = this.#votes.get(id);
      if (progress.isLearner || vote === undefined) continue;
      if (vote) granted += 1;
      else rejected += 1;
    }
    return { granted, rejected, result: this.voteResult(this.#votes) };
  }

  confState(): ConfState {
    return this.#confState;
  }

  #replaceProgress(progress: ProgressMap): void {
    this.#progress = progress;
    this.#members = [...progress].toSorted(([a], [b]) => a - b);
  }
}

function confStateOf({ voters, learners, learnersNext, autoLeave }: Configuration): ConfState {
  return {
    voters: sortedIds(voters[0]),
    votersOutgoing: sortedIds(voters[1]),
    learners: sortedIds(learners),
    learnersNext: sortedIds(learnersNext),
    autoLeave,
  };
}

export function sortedIds(ids: ReadonlySet<NodeId>): NodeId[] {
  return [...ids].toSorted((a, b) => a - b);
}
