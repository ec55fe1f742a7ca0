/** @module S03: a new leader does not know how far its predecessor committed (thesis §6.4). */
import { deepEqual } from 'node:assert/strict';
import { ManualNode, bytes, logOf } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a new leader answers no read before it has committed an entry of its term',
  run() {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3], log: logOf(1, 1, 1) });
    node.raw.campaign();
    node.flush();
    node.receive({ type: 'MsgVoteResp', from: 2, to: 1, term: 2 });
    const context = bytes('read');
    node.raw.readIndex(context);
    node.flush();
    node.receive({ type: 'MsgHeartbeatResp', from: 2, to: 1, term: 2, context });
    deepEqual(node.reads, []);
    node.receive({ type: 'MsgAppResp', from: 2, to: 1, term: 2, index: 4 });
    node.receive({ type: 'MsgHeartbeatResp', from: 2, to: 1, term: 2, context });
    deepEqual(node.reads, [{ index: 4, requestCtx: context }]);
  },
};
