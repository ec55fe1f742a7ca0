/** @module S19: what a MsgApp shows to match ends with its last entry (CCF#6016). */
import { equal } from 'node:assert/strict';
import { ManualNode, entry, logOf } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a follower commits no further than the last entry that the message has shown to match',
  run() {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3], log: logOf(1, 1, 1, 1) });
    const probe = { type: 'MsgApp', from: 2, to: 1, term: 2, index: 1, logTerm: 1, commit: 4 } as const;
    node.receive({ ...probe, entries: [entry(1, 2)] });
    equal(node.raw.status().commit, 2);
    equal(node.applied.length, 2);
  },
};
