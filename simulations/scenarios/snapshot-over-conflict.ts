/** @module S21: a follower has another entry where the snapshot ends (hashicorp#697). */
import { deepEqual, equal } from 'node:assert/strict';
import { message } from '../../raft/messages.ts';
import { ManualNode, entry, logOf, snapshotAt } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a conflicting entry at the index of the snapshot goes, with all that follow it',
  run() {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3], log: logOf(1, 1, 1, 1) });
    node.receive({ type: 'MsgSnap', from: 2, to: 1, term: 3, snapshot: snapshotAt(node, 2, 3) });
    deepEqual(node.log(), []);
    const { lastIndex, commit, applied } = node.raw.status();
    deepEqual({ lastIndex, commit, applied }, { lastIndex: 2, commit: 2, applied: 2 });
    const next = message({ type: 'MsgApp', from: 2, to: 1, term: 3, index: 2, logTerm: 3 });
    const [answer] = node.receive({ ...next, entries: [entry(3, 3)] });
    equal(answer?.index, 3);
    equal(answer.reject, undefined);
  },
};
