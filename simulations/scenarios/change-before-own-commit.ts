/** @module S27: changes of two leaders, each with a quorum of its own configuration (raft-dev, 2015). */
import { equal } from 'node:assert/strict';
import { ManualNode, bytes, logOf } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a new leader changes no membership before it has committed an entry of its term',
  run() {
    const log = logOf(1, 1);
    const hardState = { term: 1, vote: 0, commit: 2 };
    const node = new ManualNode({ id: 1, voters: [1, 2, 3], log, hardState });
    node.flush();
    node.raw.campaign();
    node.flush();
    node.receive({ type: 'MsgVoteResp', from: 2, to: 1, term: 2 });
    const propose = (): string | undefined => {
      node.raw.proposeConfChange({
        transition: 'ConfChangeTransitionAuto',
        changes: [{ type: 'ConfChangeAddLearnerNode', nodeId: 4 }],
        context: bytes(''),
      });
      node.flush();
      const last = node.storage.lastIndex();
      return node.storage.entries(last, last + 1, Infinity)[0]?.type;
    };
    equal(propose(), 'EntryNormal');
    node.receive({ type: 'MsgAppResp', from: 2, to: 1, term: 2, index: 4 });
    equal(propose(), 'EntryConfChangeV2');
  },
};
