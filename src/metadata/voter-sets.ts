/** @module Who votes, and who will by what this node's log has, committed or not: each set decides alone while it is in force. */
import { decodeConfChange } from '../../raft/conf-change-codec.ts';
import { configurationsAfter } from '../../raft/configurations.ts';
import type { NodeId } from '../../raft/types.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import { decodeConfState } from './raft-wire.ts';
import { isConfChange } from './applier.ts';

export type VoterSet = readonly NodeId[];

export interface VoterSetsComponents {
  readonly log: RaftLogStore;
  readonly machine: StateMachine;
}

/** Both halves of a joint configuration are sets of their own. */
export function voterSets({ log, machine }: VoterSetsComponents): readonly VoterSet[] {
  const applied = machine.confState();
  const confState = applied === undefined ? log.initialState().confState : decodeConfState(applied);
  const from = Math.max(machine.appliedIndex + 1, log.firstIndex());
  const unapplied = from > log.lastIndex() ? [] : log.entries(from, log.lastIndex() + 1, Infinity);
  const changes = unapplied.filter(isConfChange).map(({ data }) => decodeConfChange(data));
  return configurationsAfter(confState, changes)
    .flatMap(({ voters, votersOutgoing }) => [voters, votersOutgoing])
    .filter(({ length }) => length > 0);
}
