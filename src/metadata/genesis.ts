/** @module The first entries of a new cluster's log: what `cluster init` writes, once and never again. */
import { encodeConfChange } from '../../raft/conf-change-codec.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import { levelOfCommand } from '../namespace/feature-level.ts';
import { CommandBatch, type Genesis } from '../namespace/schema.ts';

/** The founder's member number and raft node id. */
export const FOUNDER = 1;
const GENESIS_TERM = 1;

/**
 * Makes `log` the log of a cluster with one voter. Refuses a log that is not empty.
 * Entry 1 adds the voter and entry 2 carries the genesis, although the founder's log starts with that configuration:
 * a node that joins later replays the log from entry 1 and must learn of the founder from it.
 */
export async function bootstrapCluster(log: RaftLogStore, genesis: Genesis): Promise<void> {
  const confState = {
    voters: [FOUNDER],
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
  const addFounder = encodeConfChange({
    transition: 'ConfChangeTransitionAuto',
    changes: [{ type: 'ConfChangeAddNode', nodeId: FOUNDER }],
    context: new Uint8Array(0),
  });
  const batch = CommandBatch.encode({
    format: levelOfCommand({ $case: 'genesis', value: genesis }),
    timeMs: genesis.cluster?.createdMs ?? 0,
    commands: [
      { session: '', sequence: 0, ackedBelow: 0, command: { kind: { $case: 'genesis', value: genesis } } },
    ],
  }).finish();
  await log.bootstrap(confState, { term: GENESIS_TERM, vote: 0, commit: 2 }, [
    { term: GENESIS_TERM, index: 1, type: 'EntryConfChangeV2', data: addFounder },
    { term: GENESIS_TERM, index: 2, type: 'EntryNormal', data: batch },
  ]);
}
