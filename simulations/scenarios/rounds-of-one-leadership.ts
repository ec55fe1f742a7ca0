/** @module H03: a voter that is far behind is reckoned with, since what counts as a round ago is of another time. */
import { equal } from 'node:assert/strict';
import type { Status } from '../../raft/raw-node.ts';
import { CommitRounds, ROUND_MS } from '../../src/metadata/commit-rounds.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'to keep up is to have what was committed a round ago, in this leadership, and not before',
  run() {
    const rounds = new CommitRounds();
    rounds.observe(statusOf('StateLeader', 2, 10), 0);
    rounds.observe(statusOf('StateFollower', 3, 20), 30);
    rounds.observe(statusOf('StateLeader', 4, 100), 60);
    equal(rounds.start(statusOf('StateLeader', 4, 110), 100), 100);
    rounds.observe(statusOf('StateLeader', 4, 120), 200);
    equal(rounds.start(statusOf('StateLeader', 4, 300), 100 + ROUND_MS), 120);
  },
};

function statusOf(raftState: Status['raftState'], term: number, commit: number): Status {
  return { raftState, term, commit } as Status;
}
