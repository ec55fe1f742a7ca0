/** @module S06: a node of a higher term hears no leader of a lower one, and a leader in good order no votes (etcd#8501). */
import { deepEqual, equal } from 'node:assert/strict';
import { ELECTION_TICKS, ManualCluster, logOf } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim:
    'a node with a higher term and a shorter log, whose votes nobody hears, gets into the cluster all the same',
  run() {
    const voters = [1, 2, 3];
    const config = { checkQuorum: true, preVote: true };
    const cluster = new ManualCluster([
      { id: 1, voters, log: logOf(1, 1, 1), config },
      { id: 2, voters, log: logOf(1, 1, 1), config },
      { id: 3, voters, log: logOf(1), hardState: { term: 8, vote: 0, commit: 0 }, config },
    ]);
    cluster.drops = ({ from, to }) => from === 3 || to === 3;
    cluster.elect(1);
    cluster.drops = () => false;
    for (let tick = 0; tick < 6 * ELECTION_TICKS; tick++) {
      for (const node of cluster.nodes.values()) node.raw.tick();
      cluster.settle();
    }
    const leaders = [...cluster.nodes.values()].filter(({ raw }) => raw.status().raftState === 'StateLeader');
    equal(leaders.length, 1);
    deepEqual(cluster.node(3).log(), leaders[0]?.log());
  },
};
