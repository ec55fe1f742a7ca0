/** @module What one run of the raft-level simulation is: its cluster, limits and faults. */

/** Probabilities are per tick unless said otherwise; times are in ticks. */
export interface RaftSwarmOptions {
  readonly voters: number;
  /** Node ids ever used, the first `voters` of them from the start. */
  readonly maxNodes: number;
  readonly faultyTicks: number;
  /** Ticks after healing within which everybody must agree. */
  readonly healingTicks: number;
  readonly electionTick: number;
  readonly heartbeatTick: number;
  readonly preVote: boolean;
  /** Nodes of odd numbers do the opposite. */
  readonly mixedPreVote: boolean;
  readonly checkQuorum: boolean;
  readonly stepDownOnRemoval: boolean;
  readonly asyncStorageWrites: boolean;
  readonly maxSizePerMsgBytes: number;
  readonly maxCommittedSizePerReadyBytes: number;
  readonly maxUncommittedSizeBytes: number;
  readonly maxInflightMsgs: number;
  /** Per message. */
  readonly lossProbability: number;
  readonly duplicateProbability: number;
  readonly maxDelayTicks: number;
  /** Of a message; it takes up to `stragglerTicks` more. */
  readonly stragglerProbability: number;
  readonly stragglerTicks: number;
  readonly partitionProbability: number;
  readonly healProbability: number;
  readonly crashProbability: number;
  readonly restartProbability: number;
  /** Of each node that believes to lead. */
  readonly crashLeaderProbability: number;
  readonly isolateLeaderProbability: number;
  /** That a node's clock skips or doubles a tick. */
  readonly skewProbability: number;
  readonly maxWriteTicks: number;
  readonly proposeProbability: number;
  readonly readProbability: number;
  readonly changeProbability: number;
  readonly transferProbability: number;
  readonly campaignProbability: number;
  /** That a client goes to one that believes to lead rather than to any. */
  readonly leaderBias: number;
  /** Entries applied between two snapshots of a node, and entries it keeps behind one. */
  readonly snapshotEveryEntries: number;
  readonly trailingEntries: number;
}
