/** @module S20: an acknowledgement of an earlier leadership, of entries that are replaced since (CCF#6016). */
import { equal } from 'node:assert/strict';
import { ManualNode, logOf } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'an acknowledgement of an earlier term commits nothing in a later one',
  run() {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3], log: logOf(1, 1, 1) });
    node.raw.campaign();
    node.flush();
    node.receive({ type: 'MsgVoteResp', from: 2, to: 1, term: 2 });
    equal(node.raw.status().lastIndex, 4);
    node.receive({ type: 'MsgAppResp', from: 3, to: 1, term: 1, index: 4 });
    equal(node.raw.status().commit, 0);
    node.receive({ type: 'MsgAppResp', from: 3, to: 1, term: 2, index: 4 });
    equal(node.raw.status().commit, 4);
  },
};
