/** @module S40: a change would leave nobody to undo it (qdrant#9654). */
import { deepEqual, throws } from 'node:assert/strict';
import { ManualNode, bytes } from '../manual-raft.ts';
import type { ConfChange } from '../../raft/types.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a change that would remove the last voter is refused, and the configuration stays',
  run() {
    const { raw } = new ManualNode({ id: 1, voters: [1] });
    const change: ConfChange = {
      transition: 'ConfChangeTransitionAuto',
      changes: [{ type: 'ConfChangeRemoveNode', nodeId: 1 }],
      context: bytes(''),
    };
    throws(() => raw.applyConfChange(change), { code: 'RAFT_CONF_CHANGE_INVALID' });
    deepEqual(raw.status().confState.voters, [1]);
  },
};
