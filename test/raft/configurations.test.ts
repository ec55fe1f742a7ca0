import { describe, expect, it } from 'vitest';
import { LEAVE_JOINT } from '../../raft/conf-change-codec.ts';
import { configurationsAfter } from '../../raft/configurations.ts';
import type { ConfChange, ConfState } from '../../raft/types.ts';

const BEFORE: ConfState = {
  voters: [1, 3],
  votersOutgoing: [],
  learners: [4],
  learnersNext: [],
  autoLeave: false,
};

function change(...changes: ConfChange['changes']): ConfChange {
  return { ...LEAVE_JOINT, transition: 'ConfChangeTransitionAuto', changes };
}

describe('the configurations that a log leads to', () => {
  it('are the one in force alone, where nothing changes', () => {
    expect(configurationsAfter(BEFORE, [])).toEqual([BEFORE]);
  });

  it('have every step, joint ones with both halves', () => {
    const steps = configurationsAfter(BEFORE, [
      change({ type: 'ConfChangeAddNode', nodeId: 4 }),
      change({ type: 'ConfChangeAddNode', nodeId: 5 }, { type: 'ConfChangeRemoveNode', nodeId: 1 }),
      LEAVE_JOINT,
    ]);
    expect(steps.map(({ voters, votersOutgoing }) => [voters, votersOutgoing])).toEqual([
      [[1, 3], []],
      [[1, 3, 4], []],
      [
        [3, 4, 5],
        [1, 3, 4],
      ],
      [[3, 4, 5], []],
    ]);
  });
});
