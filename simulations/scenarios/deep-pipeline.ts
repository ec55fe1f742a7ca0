/** @module S38: a deep queue sent one round trip at a time (hashicorp GH-541). */
import { deepEqual } from 'node:assert/strict';
import { ManualCluster, bytes } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a deep queue is sent without waiting for answers, one message under way for each proposal',
  run() {
    const cluster = ManualCluster.of(3);
    const leader = cluster.elect(1);
    for (let count = 0; count < 50; count++) leader.raw.propose(bytes(`${count}`));
    const sent = leader.flush().filter(({ to }) => to === 2);
    deepEqual(
      sent.map(({ index }) => index),
      Array.from({ length: 50 }, (_, position) => position + 1),
    );
  },
};
