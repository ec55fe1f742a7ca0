/** @module S09: what a node acknowledges outlives the power (etcd#14143, dragonboat#201). */
import { deepEqual } from 'node:assert/strict';
import { message } from '../../raft/messages.ts';
import { ManualNode, entry } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'an acknowledgement is attached to the write that it is about, and is nowhere else',
  run() {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3], config: { asyncStorageWrites: true } });
    node.raw.step(message({ type: 'MsgApp', from: 2, to: 1, term: 1, entries: [entry(1, 1)] }));
    const { messages } = node.raw.ready();
    deepEqual(
      messages.map(({ type }) => type),
      ['MsgStorageAppend'],
    );
    deepEqual(
      messages[0]?.responses?.map(({ type, to }) => `${type}->${to}`),
      ['MsgAppResp->2', 'MsgStorageAppendResp->1'],
    );
  },
};
