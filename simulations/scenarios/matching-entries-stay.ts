/** @module S18: entries that a node has acknowledged are not on their way to the disk a second time (databend#3914). */
import { deepEqual, equal } from 'node:assert/strict';
import { message } from '../../raft/messages.ts';
import { ManualNode, entry, logOf } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'entries that are there already are neither written again nor cut off by a late message',
  run() {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3], log: logOf(1, 1, 1) });
    const entries = [entry(1, 1), entry(1, 2)];
    node.raw.step(message({ type: 'MsgApp', from: 2, to: 1, term: 1, entries }));
    deepEqual(node.raw.ready().entries, []);
    equal(node.raw.status().lastIndex, 3);
  },
};
