/** @module S40: a node is restarted in the midst of its removal (qdrant#9654). */
import { deepEqual } from 'node:assert/strict';
import { ELECTION_TICKS, ManualNode, bytes } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a node that applies its own removal stays out of elections',
  run() {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3] });
    node.raw.applyConfChange({
      transition: 'ConfChangeTransitionAuto',
      changes: [{ type: 'ConfChangeRemoveNode', nodeId: 1 }],
      context: bytes(''),
    });
    deepEqual(node.raw.status().confState.voters, [2, 3]);
    deepEqual(node.tick(3 * ELECTION_TICKS), []);
  },
};
