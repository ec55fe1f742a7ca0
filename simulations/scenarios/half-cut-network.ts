/** @module S08: two of three nodes cannot see each other, and both see the third (Cloudflare, 2 November 2020). */
import { deepEqual } from 'node:assert/strict';
import { ELECTION_TICKS, ManualCluster, bytes } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'with one link of three cut, the leader stays, its term too, and writes go on',
  run() {
    const cluster = ManualCluster.of(3, { checkQuorum: true, preVote: true });
    const leader = cluster.elect(1);
    cluster.drops = ({ from, to }) => from + to === 4 && from !== to;
    for (let tick = 0; tick < 10 * ELECTION_TICKS; tick++) {
      for (const node of cluster.nodes.values()) node.raw.tick();
      cluster.settle();
    }
    leader.raw.propose(bytes('x'));
    cluster.settle();
    const { raftState, term, commit } = leader.raw.status();
    deepEqual({ raftState, term, commit }, { raftState: 'StateLeader', term: 1, commit: 2 });
  },
};
