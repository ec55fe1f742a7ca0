/** @module Quorum maths over a majority and over a joint configuration (thesis §4.3): two majorities, each of its own half. */
import type { Index, NodeId } from './types.ts';

export type VoteResult = 'VotePending' | 'VoteLost' | 'VoteWon';

/** `[incoming, outgoing]`; outgoing is empty unless the configuration is joint. */
export type JointVoters = readonly [ReadonlySet<NodeId>, ReadonlySet<NodeId>];

/** Votes cast so far; absent = not voted yet. */
export type Votes = ReadonlyMap<NodeId, boolean>;

/** Highest index that a voter has acknowledged; undefined = nothing heard of it, counts as 0. */
export type AckedIndex = (id: NodeId) => Index | undefined;

/** Largest index that a majority has acknowledged. Infinity for no voters, so that a joint half may be empty. */
export function majorityCommittedIndex(voters: ReadonlySet<NodeId>, acked: AckedIndex): Index {
  if (voters.size === 0) return Infinity;
  const indexes: Index[] = [];
  for (const id of voters) indexes.push(acked(id) ?? 0);
  // Numbers need the comparator: JavaScript sorts by text otherwise, and a mis-sorted array commits without a quorum.
  indexes.sort((a, b) => a - b);
  return indexes[voters.size - majoritySize(voters.size)] ?? 0;
}

/** Outcome of an election in one majority. No voters: won, so that a joint half may be empty. */
export function majorityVoteResult(voters: ReadonlySet<NodeId>, votes: Votes): VoteResult {
  if (voters.size === 0) return 'VoteWon';
  let granted = 0;
  let missing = 0;
  for (const id of voters) {
    const vote = votes.get(id);
    if (vote === undefined) missing += 1;
    else if (vote) granted += 1;
  }
  const needed = majoritySize(voters.size);
  if (granted >= needed) return 'VoteWon';
  return granted + missing >= needed ? 'VotePending' : 'VoteLost';
}

/** An index is committed when it is in both halves. */
export function jointCommittedIndex(voters: JointVoters, acked: AckedIndex): Index {
  return Math.min(majorityCommittedIndex(voters[0], acked), majorityCommittedIndex(voters[1], acked));
}

/** Won when both halves are, lost when either is. */
export function jointVoteResult(voters: JointVoters, votes: Votes): VoteResult {
  const incoming = majorityVoteResult(voters[0], votes);
  const outgoing = majorityVoteResult(voters[1], votes);
  if (incoming === outgoing) return incoming;
  return incoming === 'VoteLost' || outgoing === 'VoteLost' ? 'VoteLost' : 'VotePending';
}

function majoritySize(voters: number): number {
  return Math.floor(voters / 2) + 1;
}
