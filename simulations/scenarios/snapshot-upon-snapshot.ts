/** @module S23: two snapshots within a short time (etcd#18055). */
import { deepEqual } from 'node:assert/strict';
import { message } from '../../raft/messages.ts';
import { ManualNode, snapshotAt } from '../manual-raft.ts';
import type { Index } from '../../raft/types.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'of two snapshots, the second before the first is written, the second is what stays',
  run() {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3] });
    const send = (index: Index): void =>
      node.raw.step(
        message({ type: 'MsgSnap', from: 2, to: 1, term: 1, snapshot: snapshotAt(node, index, 1) }),
      );
    send(5);
    const first = node.raw.ready();
    send(9);
    node.persist(first);
    node.raw.advance();
    node.flush();
    const { applied, commit, lastIndex } = node.raw.status();
    deepEqual({ applied, commit, lastIndex }, { applied: 9, commit: 9, lastIndex: 9 });
  },
};
