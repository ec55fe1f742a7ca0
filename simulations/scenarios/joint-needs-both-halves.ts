/** @module S30: a joint configuration counts twice, once in each of its halves (thesis §4.3). */
import { equal } from 'node:assert/strict';
import { jointCommittedIndex, jointVoteResult } from '../../raft/quorum.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim:
    'in a joint configuration neither an entry nor an election has a quorum that lacks one in either half',
  run() {
    const voters = [new Set([1, 2, 3]), new Set([3, 4, 5])] as const;
    const acked = new Map([1, 2, 3].map((id) => [id, 10]));
    equal(
      jointCommittedIndex(voters, (id) => acked.get(id)),
      0,
    );
    const votes = new Map([1, 2, 3, 4, 5].map((id) => [id, id <= 3]));
    equal(jointVoteResult(voters, votes), 'VoteLost');
    acked.set(4, 7);
    equal(
      jointCommittedIndex(voters, (id) => acked.get(id)),
      7,
    );
  },
};
