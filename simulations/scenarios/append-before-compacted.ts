/** @module S17: a late MsgApp about entries that are compacted away (openraft#511). */
import { deepEqual, equal } from 'node:assert/strict';
import { ManualNode, bytes, entry, logOf } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a MsgApp from before the compacted part deletes nothing, and is answered with the commit index',
  run() {
    const hardState = { term: 1, vote: 0, commit: 3 };
    const node = new ManualNode({ id: 1, voters: [1, 2, 3], log: logOf(1, 1, 1, 1), hardState });
    node.flush();
    node.storage.createSnapshot(3, node.raw.status().confState, bytes(''));
    node.storage.compact(3);
    const entries = [entry(1, 2), entry(1, 3)];
    const late = { type: 'MsgApp', from: 2, to: 1, term: 1, index: 1, logTerm: 1, entries } as const;
    const [answer] = node.receive(late);
    equal(answer?.type, 'MsgAppResp');
    equal(answer.index, 3);
    equal(answer.reject, undefined);
    deepEqual(node.log(), ['1/4']);
  },
};
