/** @module Whom a run may rob: never so many that what is in some log, of a node that is down, perhaps, could not be ended. */
import { describe, expect, it } from 'vitest';
import { encodeConfChange } from '../../raft/conf-change-codec.ts';
import type { ConfChangeSingle, ConfState, Entry, Index, NodeId } from '../../raft/types.ts';
import { FaultBudget, type Voter } from '../../simulations/cluster/fault-budget.ts';
import { RaftLogFile } from '../../simulations/world/raft-log-file.ts';
import { encodeConfState } from '../../src/metadata/raft-wire.ts';

const NO_DATA = new Uint8Array(0);
const BEFORE = votersOnly([1, 2, 3]);
/** Node 4 in the place of node 3. */
const CHANGE: Entry = changes(1, [
  { type: 'ConfChangeAddNode', nodeId: 4 },
  { type: 'ConfChangeAddLearnerNode', nodeId: 3 },
]);
const LEAVE_JOINT: Entry = changes(2, []);

function votersOnly(voters: readonly NodeId[]): ConfState {
  return { voters: [...voters], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
}

function changes(index: Index, singles: readonly ConfChangeSingle[]): Entry {
  const data = encodeConfChange({
    changes: singles,
    transition: 'ConfChangeTransitionAuto',
    context: NO_DATA,
  });
  return { index, term: 1, type: 'EntryConfChangeV2', data };
}

/** The disk of a node that has these entries, and knows the first `commit` of them to be committed. */
function diskWith(entries: readonly Entry[], commit: Index): RaftLogFile {
  const file = new RaftLogFile();
  const snapshot = { metadata: { index: 0, term: 0, confState: BEFORE }, data: NO_DATA };
  const hardState = { term: 1, vote: 1, commit };
  file.found({ kind: 'append', snapshot, hardState, entries }, hardState);
  return file;
}

function down(number: NodeId, log: RaftLogFile): Voter {
  return { number, machine: { log }, node: undefined, state: undefined };
}

/** It has applied nothing of its log. */
function running(number: NodeId, log: RaftLogFile): Voter {
  const state = { appliedIndex: 0, confState: () => encodeConfState(BEFORE) };
  return { number, machine: { log }, node: { status: () => ({ confState: BEFORE }) }, state };
}

/** Which of nodes 2, 3 and 4 may be robbed, asked in this order. */
function robbed(first: Voter): NodeId[] {
  const nodes = [first, ...[2, 3, 4].map((number) => running(number, diskWith([], 0)))];
  const budget = new FaultBudget({ coverage: { saw: () => {} }, nodes: () => nodes }, { isUnlimited: false });
  return nodes.filter((node) => node !== first && budget.takes(node)).map(({ number }) => number);
}

describe('the budget of faults', () => {
  it('lets one voter of three be robbed, and all who have no vote', () => {
    expect(robbed(running(1, diskWith([], 0)))).toEqual([2, 4]);
  });

  it('spares who will vote by a change that is in one log alone, and not committed', () => {
    expect(robbed(running(1, diskWith([CHANGE], 0)))).toEqual([2]);
  });

  it('reads the log of a node that is down', () => {
    expect(robbed(down(1, diskWith([CHANGE], 0)))).toEqual([2]);
  });

  it('sees what a node has ordered and its disk has not written yet', () => {
    const log = diskWith([], 0);
    log.order({ kind: 'append', entries: [CHANGE] });
    expect(robbed(running(1, log))).toEqual([2]);
  });

  it('counts a robbed voter for as long as a configuration with it may be in force, and no longer', () => {
    const nodes = [1, 2, 4].map((number) => down(number, diskWith([CHANGE, LEAVE_JOINT], 2)));
    const budget = new FaultBudget(
      { coverage: { saw: () => {} }, nodes: () => nodes },
      { isUnlimited: false },
    );
    const [, second, fourth] = nodes;
    if (second === undefined || fourth === undefined) throw new Error('unreachable');
    // Voters are 1, 2 and 4 by now: node 3 may go, one of these as well, and no other.
    expect(budget.takes(running(3, diskWith([CHANGE, LEAVE_JOINT], 2)))).toBe(true);
    expect(budget.takes(second)).toBe(true);
    expect(budget.takes(fourth)).toBe(false);
  });
});
