/** @module S19: a follower may hold other entries behind those that are known to match (copycat#265). */
import { deepEqual, equal } from 'node:assert/strict';
import { ManualCluster, bytes } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a heartbeat commits nothing that the follower is not known to have',
  run() {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = ({ to }) => to === 3;
    leader.raw.propose(bytes('x'));
    cluster.settle();
    equal(leader.raw.status().commit, 2);
    const heartbeats = leader.tick(1).filter(({ type }) => type === 'MsgHeartbeat');
    deepEqual(
      heartbeats.map(({ to, commit }) => `${to}: ${commit}`),
      ['2: 2', '3: 1'],
    );
  },
};
