/** @module S23: two snapshots arrive in the wrong order (databend#7833). */
import { deepEqual, equal } from 'node:assert/strict';
import { message } from '../../raft/messages.ts';
import { ManualNode, snapshotAt } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'an older snapshot after a newer one takes nothing back',
  run() {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3] });
    const older = snapshotAt(node, 5, 1);
    const newer = snapshotAt(node, 9, 1);
    for (const snapshot of [newer, older])
      node.raw.step(message({ type: 'MsgSnap', from: 2, to: 1, term: 1, snapshot }));
    const answers = node.flush();
    deepEqual(
      answers.map(({ index }) => index),
      [9, 9],
    );
    equal(node.raw.status().applied, 9);
    equal(node.raw.status().lastIndex, 9);
  },
};
