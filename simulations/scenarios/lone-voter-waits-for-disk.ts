/** @module S10: a cluster of one has nobody else to remember (etcd#14370). */
import { deepEqual, equal } from 'node:assert/strict';
import { ManualNode } from '../manual-raft.ts';
import type { Message, Ready } from '../../raft/types.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a lone voter commits only when its write is reported done, and applies only what it has written',
  run() {
    const node = new ManualNode({ id: 1, voters: [1], config: { asyncStorageWrites: true } });
    const writes: Message[] = [];
    const next = (): Ready => {
      const ready = node.raw.ready();
      writes.push(...ready.messages.filter(({ type }) => type === 'MsgStorageAppend'));
      return ready;
    };
    const write = (): void => {
      const done = writes.shift();
      node.storage.append(done?.entries ?? []);
      for (const response of done?.responses ?? []) node.raw.step(response);
    };
    node.raw.campaign();
    next();
    equal(node.raw.status().raftState, 'StateCandidate');
    write();
    equal(node.raw.status().raftState, 'StateLeader');
    deepEqual(next().committedEntries, []);
    equal(node.raw.status().commit, 0);
    write();
    deepEqual(
      next().committedEntries.map(({ index }) => index),
      [1],
    );
  },
};
