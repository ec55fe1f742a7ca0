/** @module S04: a read asked again under one name, in a later leadership of the same node. */
import { deepEqual } from 'node:assert/strict';
import { ManualNode, bytes } from '../manual-raft.ts';
import type { Term } from '../../raft/types.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'the answers to a read of an earlier leadership prove nothing for a later one',
  run() {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3] });
    const lead = (term: Term): void => {
      node.raw.campaign();
      node.flush();
      node.receive({ type: 'MsgVoteResp', from: 2, to: 1, term });
      node.receive({ type: 'MsgAppResp', from: 2, to: 1, term, index: node.storage.lastIndex() });
    };
    lead(1);
    const context = bytes('the same name');
    node.raw.readIndex(context);
    node.flush();
    node.receive({ type: 'MsgHeartbeat', from: 3, to: 1, term: 2 });
    lead(3);
    node.raw.readIndex(context);
    node.flush();
    node.receive({ type: 'MsgHeartbeatResp', from: 2, to: 1, term: 1, context });
    deepEqual(node.reads, []);
    node.receive({ type: 'MsgHeartbeatResp', from: 2, to: 1, term: 3, context });
    deepEqual(node.reads, [{ index: node.raw.status().commit, requestCtx: context }]);
  },
};
