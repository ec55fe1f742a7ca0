/** @module S36: a learner was promoted and has not heard of it yet (etcd, campaign_learner_must_vote). */
import { equal } from 'node:assert/strict';
import { ManualNode, logOf } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a learner votes: the candidate may know of its promotion before it does',
  run() {
    const learner = new ManualNode({ id: 2, voters: [1, 3], learners: [2], log: logOf(1) });
    const [answer] = learner.receive({ type: 'MsgVote', from: 1, to: 2, term: 2, index: 2, logTerm: 1 });
    equal(answer?.type, 'MsgVoteResp');
    equal(answer.reject, undefined);
  },
};
