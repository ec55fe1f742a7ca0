/** @module S20: rejections that were under way for long (CCF#6016). */
import { deepEqual, equal } from 'node:assert/strict';
import { ManualCluster, bytes } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a rejection of an earlier term, or below what is matched, sends no leader back',
  run() {
    const cluster = ManualCluster.of(3);
    cluster.node(1).receive({ type: 'MsgApp', from: 2, to: 1, term: 1 });
    const leader = cluster.elect(1);
    leader.raw.propose(bytes('x'));
    cluster.settle();
    const before = leader.raw.status().progress;
    const late = { type: 'MsgAppResp', from: 2, to: 1, reject: true, rejectHint: 0 } as const;
    leader.receive({ ...late, term: 1, index: 2 });
    leader.receive({ ...late, term: 2, index: 1 });
    deepEqual(leader.raw.status().progress, before);
    equal(leader.raw.status().commit, 2);
  },
};
