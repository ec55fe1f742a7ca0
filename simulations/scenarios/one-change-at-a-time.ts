/** @module S33: membership changes made over each other have quorums that do not meet (redisraft#17). */
import { deepEqual } from 'node:assert/strict';
import { ManualNode, bytes } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a membership change is not taken while another is not applied',
  run() {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3] });
    node.raw.campaign();
    node.flush();
    node.receive({ type: 'MsgVoteResp', from: 2, to: 1, term: 1 });
    node.receive({ type: 'MsgAppResp', from: 2, to: 1, term: 1, index: 1 });
    for (const nodeId of [2, 3])
      node.raw.proposeConfChange({
        transition: 'ConfChangeTransitionAuto',
        changes: [{ type: 'ConfChangeRemoveNode', nodeId }],
        context: bytes(''),
      });
    node.flush();
    deepEqual(
      node.storage.entries(1, 4, Infinity).map(({ type }) => type),
      ['EntryNormal', 'EntryConfChangeV2', 'EntryNormal'],
    );
  },
};
