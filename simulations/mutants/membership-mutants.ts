/** @module Bugs of membership changes. */
import type { Mutant } from './mutant.ts';

export const MEMBERSHIP_MUTANTS: readonly Mutant[] = [
  {
    name: 'change-before-own-commit',
    bug: 'S27',
    scenario: 'change-before-own-commit',
    swarm: {
      none: 'changes take effect when they are applied, and a leader waits for those of its log: no other guard is needed then',
    },
    file: 'raft/proposals.ts',
    find: 'if (!tracker.isOnlyVoter(raft.id) && !raft.hasCommittedInTerm())',
    replace: 'if (!tracker.isOnlyVoter(raft.id) && raft.term < 0)',
  },
  {
    name: 'outgoing-half-not-asked',
    bug: 'S29',
    scenario: 'vote-in-outgoing-half',
    swarm: 'raft',
    file: 'raft/tracker.ts',
    find: 'return sortedIds(new Set([...incoming, ...outgoing]));',
    replace: 'return sortedIds(outgoing.size > 0 ? incoming : new Set([...incoming, ...outgoing]));',
  },
  {
    name: 'joint-entries-counted-once',
    bug: 'S30',
    scenario: 'joint-needs-both-halves',
    swarm: 'raft',
    file: 'raft/quorum.ts',
    find: 'return Math.min(majorityCommittedIndex(voters[0], acked), majorityCommittedIndex(voters[1], acked));',
    replace: 'return majorityCommittedIndex(new Set([...voters[0], ...voters[1]]), acked);',
  },
  {
    name: 'joint-votes-counted-once',
    bug: 'S30',
    scenario: 'joint-needs-both-halves',
    swarm: {
      none: 'not met in 500 seeds: two candidates must each win a half while the configuration is joint',
    },
    file: 'raft/quorum.ts',
    find: 'const incoming = majorityVoteResult(voters[0], votes);\n  const outgoing = majorityVoteResult(voters[1], votes);',
    replace:
      'const incoming = majorityVoteResult(new Set([...voters[0], ...voters[1]]), votes);\n  const outgoing = incoming;',
  },
  {
    name: 'two-changes-at-once',
    bug: 'S33',
    scenario: 'one-change-at-a-time',
    swarm: { none: 'not met in 500 seeds: quorums two changes apart must miss each other, and both act' },
    file: 'raft/proposals.ts',
    find: 'if (pendingConfIndex > log.applied)',
    replace: 'if (pendingConfIndex > log.applied + 1e9)',
  },
  {
    name: 'last-voter-removed',
    bug: 'S40',
    scenario: 'last-voter-stays',
    swarm: { none: 'the simulated operators do not try' },
    file: 'raft/conf-change.ts',
    find: "if (draft.incoming.size === 0) throw invalid('removed all voters');",
    replace: '',
  },
];
