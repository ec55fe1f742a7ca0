/** @module S22: the receiver of a snapshot dies in the midst of it (logcabin#174). */
import { equal } from 'node:assert/strict';
import { ManualCluster, bytes } from '../manual-raft.ts';
import type { Message } from '../../raft/types.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'when the receiver of a snapshot dies, the leader probes again and sends another',
  run() {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    cluster.drops = ({ to }) => to === 3;
    for (const text of ['a', 'b']) leader.raw.propose(bytes(text));
    cluster.settle();
    leader.storage.createSnapshot(3, leader.raw.status().confState, bytes(''));
    leader.storage.compact(3);
    const lost: Message[] = [];
    cluster.drops = (m) => {
      if (m.type === 'MsgSnap') lost.push(m);
      return m.type === 'MsgSnap';
    };
    for (let round = 1; round <= 3; round++) {
      leader.raw.tick();
      cluster.settle();
      leader.raw.tick();
      cluster.settle();
      equal(lost.length, round);
      leader.raw.reportSnapshot(3, false);
    }
  },
};
