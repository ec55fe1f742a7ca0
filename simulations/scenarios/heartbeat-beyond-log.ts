/** @module S15: a follower whose disk was put back hears of a commit index beyond its log (etcd#10166). */
import { deepEqual, equal } from 'node:assert/strict';
import { message } from '../../raft/messages.ts';
import { ManualCluster, ManualNode, bytes, logOf } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a follower that lost acknowledged entries says so, does not vote, and gets them back',
  run() {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    for (const text of ['a', 'b', 'c']) leader.raw.propose(bytes(text));
    cluster.settle();
    const forgetful = new ManualNode({ id: 2, voters: [1, 2, 3], log: logOf(1) });
    cluster.nodes.set(2, forgetful);
    const heartbeat = { type: 'MsgHeartbeat', from: 1, to: 2, term: 1, commit: 4 } as const;
    const [answer] = forgetful.receive(heartbeat);
    equal(answer?.reject, true);
    forgetful.raw.campaign();
    equal(forgetful.raw.status().raftState, 'StateFollower');
    leader.receive(message(answer));
    cluster.settle();
    leader.raw.tick();
    cluster.settle();
    deepEqual(forgetful.log(), leader.log());
  },
};
