/** @module S26: the removed leader alone knows that its removal is committed, and its log is the longest (etcd#12359). */
import { deepEqual, equal } from 'node:assert/strict';
import { encodeConfChange } from '../../raft/conf-change-codec.ts';
import { ELECTION_TICKS, ManualCluster, bytes, entry } from '../manual-raft.ts';
import type { Entry } from '../../raft/types.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'who stays is elected, though the removed leader knows more and may not lead',
  run() {
    const removal: Entry = {
      ...entry(1, 2),
      type: 'EntryConfChangeV2',
      data: encodeConfChange({
        transition: 'ConfChangeTransitionAuto',
        changes: [{ type: 'ConfChangeRemoveNode', nodeId: 1 }],
        context: bytes(''),
      }),
    };
    const cluster = new ManualCluster([
      {
        id: 1,
        voters: [2],
        log: [entry(1, 1), removal, entry(1, 3)],
        hardState: { term: 1, vote: 1, commit: 2 },
        config: { applied: 2 },
      },
      { id: 2, voters: [1, 2], log: [entry(1, 1), removal], hardState: { term: 1, vote: 1, commit: 0 } },
    ]);
    for (let tick = 0; tick < 5 * ELECTION_TICKS; tick++) {
      for (const node of cluster.nodes.values()) node.raw.tick();
      cluster.settle();
    }
    equal(cluster.node(2).raw.status().raftState, 'StateLeader');
    deepEqual(cluster.node(2).raw.status().confState.voters, [2]);
  },
};
