/** @module S01: the course of events of figure 8 of the Raft paper (§5.4.2). */
import { deepEqual, equal } from 'node:assert/strict';
import { ManualCluster, logOf } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'an entry of an earlier term is not committed by being on a majority',
  run() {
    const voters = [1, 2, 3];
    // One entry a message, so that the old one can arrive without the one that would commit it.
    const config = { maxSizePerMsgBytes: 0 };
    const hardState = { term: 3, vote: 0, commit: 1 };
    const cluster = new ManualCluster([
      { id: 1, voters, log: logOf(1, 2), hardState, config },
      { id: 2, voters, log: logOf(1), hardState, config },
      { id: 3, voters, log: logOf(1, 3), hardState, config },
    ]);
    const hasOld = (): boolean => cluster.node(2).storage.lastIndex() === 2;
    cluster.drops = ({ to, entries }) => to === 3 || (hasOld() && entries.some(({ term }) => term === 4));
    const first = cluster.elect(1);
    deepEqual(cluster.node(2).log(), ['1/1', '2/2']);
    equal(first.raw.status().commit, 1);

    cluster.drops = ({ from, to }) => from === 1 || to === 1;
    // In the first leader's term it has no vote to win; in the next it has.
    cluster.elect(3);
    const second = cluster.elect(3);
    equal(second.raw.status().raftState, 'StateLeader');
    deepEqual(cluster.node(2).log(), ['1/1', '3/2', '5/3']);
    const applied = (id: number): string[] =>
      cluster.node(id).applied.map(({ term, index }) => `${term}/${index}`);
    deepEqual(applied(1).slice(1), []);
    deepEqual(applied(2).slice(1, 2), ['3/2']);
  },
};
