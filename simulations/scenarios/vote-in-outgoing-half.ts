/** @module S29: a leader that demotes itself is needed by the configuration that it leaves (scylla#10618). */
import { equal } from 'node:assert/strict';
import { MemoryStorage } from '../../raft/memory-storage.ts';
import { ManualNode } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a voter on its way to learner counts its own vote in the half that it is still in',
  run() {
    const storage = new MemoryStorage();
    storage.setConfState({
      voters: [2],
      votersOutgoing: [1, 2, 3],
      learners: [],
      learnersNext: [1],
      autoLeave: false,
    });
    const node = new ManualNode({ id: 1, voters: [], storage });
    node.raw.campaign();
    node.flush();
    node.receive({ type: 'MsgVoteResp', from: 2, to: 1, term: 1 });
    equal(node.raw.status().raftState, 'StateLeader');
  },
};
