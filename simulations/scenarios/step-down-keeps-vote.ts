/** @module S02: a leader or candidate that steps down has voted in its term all the same (Raft §5.2). */
import { equal } from 'node:assert/strict';
import { ELECTION_TICKS, ManualCluster } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a leader that steps down within its term does not vote for another one in it',
  run() {
    const cluster = ManualCluster.of(3, { checkQuorum: true });
    const deposed = cluster.elect(1);
    equal(deposed.raw.status().raftState, 'StateLeader');
    deposed.tick(2 * ELECTION_TICKS);
    equal(deposed.raw.status().raftState, 'StateFollower');
    equal(deposed.raw.status().term, 1);
    const [answer] = deposed.receive({ type: 'MsgVote', from: 2, to: 1, term: 1, index: 9, logTerm: 1 });
    equal(answer?.reject, true);
  },
};
