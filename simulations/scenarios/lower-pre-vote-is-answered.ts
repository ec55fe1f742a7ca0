/** @module S06: with pre-vote, nodes of two terms could refuse each other's pre-votes for ever (openraft#1796). */
import { deepEqual, equal } from 'node:assert/strict';
import { ELECTION_TICKS, ManualCluster, logOf } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'of two nodes, one with the higher term and one with the longer log, one is elected',
  run() {
    const voters = [1, 2, 3];
    const config = { checkQuorum: true, preVote: true };
    const cluster = new ManualCluster([
      { id: 1, voters, log: logOf(1, 1, 1), config },
      { id: 2, voters, log: logOf(1, 1, 1), config },
      { id: 3, voters, log: logOf(1), hardState: { term: 8, vote: 0, commit: 0 }, config },
    ]);
    cluster.drops = ({ from, to }) => from === 2 || to === 2;
    for (let tick = 0; tick < 6 * ELECTION_TICKS; tick++) {
      for (const [id, node] of cluster.nodes) if (tick % id === 0) node.raw.tick();
      cluster.settle();
    }
    equal(cluster.node(1).raw.status().raftState, 'StateLeader');
    deepEqual(cluster.node(3).log(), cluster.node(1).log());
  },
};
