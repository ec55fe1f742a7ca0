/** @module S28: an election in a configuration that is over (raft-rs#221). */
import { equal } from 'node:assert/strict';
import { message } from '../../raft/messages.ts';
import { ManualNode, entry } from '../manual-raft.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'MsgTimeoutNow starts no election over a committed membership change that is not applied',
  run() {
    const log = [{ ...entry(1, 1), type: 'EntryConfChangeV2' as const }];
    const node = new ManualNode({
      id: 1,
      voters: [1, 2, 3],
      log,
      hardState: { term: 1, vote: 0, commit: 1 },
    });
    node.raw.step(message({ type: 'MsgTimeoutNow', from: 2, to: 1, term: 1 }));
    equal(node.raw.status().raftState, 'StateFollower');
    equal(node.raw.status().term, 1);
  },
};
