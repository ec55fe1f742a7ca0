/** @module H09 (seed 66855, hell): a node whose disk was put back votes again in a term, and for a log without what it acknowledged. */
import { equal } from 'node:assert/strict';
import type { BugScenario } from '../bug-scenario.ts';
import { logOf, ManualNode } from '../manual-raft.ts';

const SELF = 1;
const OTHER = 2;
/** As the disk has it. Before it was put back, the node voted in term 3 and acknowledged three entries of term 2. */
const FORGETFUL = {
  id: SELF,
  voters: [SELF, OTHER, 3],
  log: logOf(1),
  hardState: { term: 1, vote: 0, commit: 0 },
};
/** As those say who have the entries. */
const TOLD = { term: 3, last: { term: 2, index: 3 } };

export const scenario: BugScenario = {
  claim: 'a node that has forgotten promises votes neither in their term nor for a log without their entries',
  run() {
    equal(isElected({ term: TOLD.term, logTerm: 2, index: 3 }), false);
    equal(isElected({ term: TOLD.term + 1, logTerm: 2, index: 2 }), false);
    equal(isElected({ term: TOLD.term + 1, logTerm: 2, index: 3 }), true);
  },
};

function isElected(asked: { term: number; logTerm: number; index: number }): boolean {
  const node = new ManualNode(FORGETFUL);
  node.raw.restrain(TOLD);
  const [answer] = node.receive({ type: 'MsgVote', from: OTHER, to: SELF, ...asked });
  return answer !== undefined && answer.reject !== true;
}
