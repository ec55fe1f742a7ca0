/** @module S31: the index of a quorum comes from a sorted list (openraft#1802). */
import { equal } from 'node:assert/strict';
import { majorityCommittedIndex } from '../../raft/quorum.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'the index that a quorum has is found whatever the numbers of digits are',
  run() {
    const acked = new Map([8, 9, 10, 11, 100].map((index, position) => [position + 1, index]));
    equal(
      majorityCommittedIndex(new Set(acked.keys()), (id) => acked.get(id)),
      10,
    );
  },
};
