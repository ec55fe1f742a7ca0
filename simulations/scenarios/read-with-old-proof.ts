/** @module S04: a leader that is none any more, and answers to heartbeats that were under way for long (thesis §6.4). */
import { deepEqual, equal } from 'node:assert/strict';
import { ManualCluster, bytes } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim:
    'a read is answered by answers to heartbeats that were sent after it was asked, and by no older ones',
  run() {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    const earlier = leader.tick(1).filter(({ type }) => type === 'MsgHeartbeat');
    const answers = earlier.flatMap((heartbeat) => cluster.node(heartbeat.to).receive(heartbeat));
    equal(answers.length, 2);
    cluster.drops = ({ from, to }) => from === 1 || to === 1;
    cluster.elect(2).raw.propose(bytes('newer'));
    cluster.settle();
    leader.raw.readIndex(bytes('read'));
    leader.flush();
    for (const answer of answers) leader.receive(answer);
    deepEqual(leader.reads, []);
  },
};
