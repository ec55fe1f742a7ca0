/** @module S24: a member that was away for membership changes gets them in a snapshot (openraft#1808). */
import { deepEqual } from 'node:assert/strict';
import { ELECTION_TICKS, ManualNode, bytes, snapshotAt } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'the configuration in a snapshot replaces the one in force, whatever that was',
  run() {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3] });
    node.raw.applyConfChange({
      transition: 'ConfChangeTransitionJointExplicit',
      changes: [{ type: 'ConfChangeAddNode', nodeId: 4 }],
      context: bytes(''),
    });
    const { metadata, data } = snapshotAt(node, 9, 1);
    const confState = { ...metadata.confState, voters: [1, 5], votersOutgoing: [], learners: [6] };
    const snapshot = { metadata: { ...metadata, confState }, data };
    node.receive({ type: 'MsgSnap', from: 5, to: 1, term: 1, snapshot });
    deepEqual(node.raw.status().confState, confState);
    deepEqual(
      node.tick(ELECTION_TICKS).map(({ to }) => to),
      [5],
    );
  },
};
