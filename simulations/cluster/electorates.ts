/** @module Whose votes a metadata node may come to need: as it has applied them, and as its disk says, whether it runs or not. */
import type { Status } from '../../raft/raw-node.ts';
import type { ConfState, NodeId } from '../../raft/types.ts';
import { voterSets } from '../../src/metadata/voter-sets.ts';
import type { StateMachine } from '../../src/namespace/state-machine.ts';
import type { RaftLogFile } from '../world/raft-log-file.ts';

/** A metadata node, as far as it can be asked without its knowing. */
export interface ElectorateSource {
  readonly machine: { readonly log: Pick<RaftLogFile, 'prospect'> };
  /** Absent while it does not run. */
  readonly node: { status(): Pick<Status, 'confState'> } | undefined;
  /** What it has applied; absent while it does not run. */
  readonly state: Pick<StateMachine, 'appliedIndex' | 'confState'> | undefined;
}

/**
 * A majority of each must be there, or the cluster may stand still. A change that is in one log alone, of a node that is
 * down, counts: its entry may be committed yet (seed 61406, hell).
 */
export function electoratesIn({ machine, node, state }: ElectorateSource): readonly (readonly NodeId[])[] {
  const log = machine.log.prospect();
  // Of a node that is down the log tells all: its rows have no more than that, or what its snapshot has.
  const stored = { appliedIndex: log.storedSnapshot.metadata.index, confState: () => undefined };
  const ofLog = voterSets({ log, machine: state ?? stored }).map(({ voters }) => voters);
  return [...ofLog, ...(node === undefined ? [] : halves(node.status().confState))];
}

function halves({ voters, votersOutgoing }: ConfState): readonly (readonly NodeId[])[] {
  return [voters, votersOutgoing].filter(({ length }) => length > 0);
}
