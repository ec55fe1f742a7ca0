/** @module S07: a server that does not know of its removal campaigns for ever (Raft §6, thesis §4.2.3). */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { ELECTION_TICKS, ManualCluster, bytes } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a removed server that campaigns neither raises the term nor unseats the leader',
  run() {
    const cluster = ManualCluster.of(4, { checkQuorum: true });
    const leader = cluster.elect(1);
    cluster.drops = ({ to }) => to === 4;
    leader.raw.proposeConfChange({
      transition: 'ConfChangeTransitionAuto',
      changes: [{ type: 'ConfChangeRemoveNode', nodeId: 4 }],
      context: bytes(''),
    });
    cluster.settle();
    deepEqual(leader.raw.status().confState.voters, [1, 2, 3]);
    for (let tick = 0; tick < 5 * ELECTION_TICKS; tick++) {
      for (const node of cluster.nodes.values()) node.raw.tick();
      cluster.settle();
    }
    ok(cluster.node(4).raw.status().term > 2);
    equal(leader.raw.status().raftState, 'StateLeader');
    equal(leader.raw.status().term, 1);
  },
};
