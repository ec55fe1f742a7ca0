/** @module Who votes, and who will by what this node's log has, committed or not: each set decides alone while it is in force. */
import { decodeConfChange } from '../../raft/conf-change-codec.ts';
import { configurationsAfter } from '../../raft/configurations.ts';
import type { ConfState, Index } from '../../raft/types.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { VoterSet } from '../protocol/messages.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import { decodeConfState } from './raft-wire.ts';
import { isConfChange } from './applier.ts';

export interface VoterSetsComponents {
  readonly log: Pick<RaftLogStore, 'initialState' | 'firstIndex' | 'lastIndex' | 'entries'>;
  readonly machine: Pick<StateMachine, 'appliedIndex' | 'confState'>;
}

/**
 * By the index of the entry that brings each. Both halves of a joint configuration are sets of their own. What a later one has
 * taken the place of, as far as the log says what is committed, is over: rows that are made anew begin with the founder alone
 * (simulation seed 61265, hell).
 */
export function voterSets({ log, machine }: VoterSetsComponents): VoterSet[] {
  const committed = Math.max(machine.appliedIndex, log.initialState().hardState.commit);
  const applied = machine.confState();
  const confState = applied === undefined ? log.initialState().confState : decodeConfState(applied);
  const from = Math.max(machine.appliedIndex + 1, log.firstIndex());
  const unapplied = from > log.lastIndex() ? [] : log.entries(from, log.lastIndex() + 1, Infinity);
  const changes = unapplied.filter(isConfChange);
  const indices = [machine.appliedIndex, ...changes.map(({ index }) => index)];
  return configurationsAfter(
    confState,
    changes.map(({ data }) => decodeConfChange(data)),
  ).flatMap((configuration, position) => {
    const isOver = (indices[position + 1] ?? Infinity) <= committed;
    return isOver ? [] : halves(configuration, indices[position] ?? machine.appliedIndex);
  });
}

function halves({ voters, votersOutgoing }: ConfState, index: Index): VoterSet[] {
  return [voters, votersOutgoing]
    .filter(({ length }) => length > 0)
    .map((half) => ({ index, voters: [...half] }));
}
