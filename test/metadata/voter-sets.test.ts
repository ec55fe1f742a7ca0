/** @module Which voters may still decide, by the rows and the log of a node. */
import { expect, it } from 'vitest';
import { voterSets } from '../../src/metadata/voter-sets.ts';
import { encodeConfChange } from '../../raft/conf-change-codec.ts';
import type { ConfState, Entry } from '../../raft/types.ts';

const FOUNDER_ALONE: ConfState = {
  voters: [1],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};
const NO_DATA = new Uint8Array(0);

function voteFor(index: number, nodeId: number): Entry {
  const data = encodeConfChange({
    changes: [{ type: 'ConfChangeAddNode', nodeId }],
    transition: 'ConfChangeTransitionAuto',
    context: NO_DATA,
  });
  return { index, term: 1, type: 'EntryConfChangeV2', data };
}

const LOG: readonly Entry[] = [voteFor(1, 2), voteFor(2, 3)];

function votersAt(applied: number, commit: number): readonly (readonly number[])[] {
  const sets = voterSets({
    log: {
      initialState: () => ({ hardState: { term: 1, vote: 0, commit }, confState: FOUNDER_ALONE }),
      firstIndex: () => 1,
      lastIndex: () => LOG.length,
      entries: (from, to) => LOG.filter(({ index }) => index >= from && index < to),
    },
    machine: { appliedIndex: applied, confState: () => undefined },
  });
  return sets.map(({ voters }) => voters);
}

it('are those of each change that may not be committed yet, and those before it', () => {
  expect(votersAt(0, 0)).toEqual([[1], [1, 2], [1, 2, 3]]);
  expect(votersAt(0, 1)).toEqual([
    [1, 2],
    [1, 2, 3],
  ]);
});

it('are not those of the founding when rows are made anew from a log that says what came of it', () => {
  expect(votersAt(0, 2)).toEqual([[1, 2, 3]]);
});
