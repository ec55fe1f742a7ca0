/** @module S01: who lacks committed entries must not be elected (Raft §5.4.1). */
import { equal } from 'node:assert/strict';
import { ManualNode, logOf } from '../manual-raft.ts';
import type { Term, Index } from '../../raft/types.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a vote goes to no candidate whose log is behind',
  run() {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3], log: logOf(1, 2, 2) });
    const ask = (term: Term, index: Index, logTerm: Term): boolean =>
      node.receive({ type: 'MsgVote', from: 2, to: 1, term, index, logTerm })[0]?.reject !== true;
    equal(ask(3, 9, 1), false);
    equal(ask(4, 2, 2), false);
    equal(ask(5, 3, 2), true);
  },
};
