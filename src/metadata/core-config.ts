/** @module How the core is set up in a metadata node. */
import type { Config, NodeId } from '../../raft/types.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import { CoreStorage, type SnapshotOffer } from './core-storage.ts';

/** Ticks without a leader before an election: 0.5 to 1 s at 50 ms a tick. */
const ELECTION_TICKS = 10;
const HEARTBEAT_TICKS = 2;
const MAX_MESSAGE_BYTES: number = 1024 * 1024;
/**
 * Some 600 small commands. A node far behind applies them in tens of milliseconds even with rows to load, and only then
 * looks at its messages again: with megabytes at a time it would be silent for longer than an election takes.
 */
const MAX_COMMITTED_BYTES_PER_READY: number = 64 * 1024;
/** A leader without a majority refuses proposals beyond this. */
const MAX_UNCOMMITTED_BYTES: number = 64 * 1024 * 1024;
const MAX_INFLIGHT_MESSAGES = 128;
const MAX_INFLIGHT_BYTES: number = 16 * 1024 * 1024;

export interface CoreCollaborators {
  readonly log: RaftLogStore;
  readonly machine: StateMachine;
  readonly snapshots: SnapshotOffer;
  readonly random: Random;
  readonly logger: Logger;
}

export function coreConfig(collaborators: CoreCollaborators, id: NodeId): Config {
  const { log, machine, snapshots, random, logger } = collaborators;
  return {
    id,
    electionTick: ELECTION_TICKS,
    heartbeatTick: HEARTBEAT_TICKS,
    storage: new CoreStorage(log, machine, snapshots),
    applied: machine.appliedIndex,
    maxSizePerMsgBytes: MAX_MESSAGE_BYTES,
    maxCommittedSizePerReadyBytes: MAX_COMMITTED_BYTES_PER_READY,
    maxUncommittedSizeBytes: MAX_UNCOMMITTED_BYTES,
    maxInflightMsgs: MAX_INFLIGHT_MESSAGES,
    maxInflightBytes: MAX_INFLIGHT_BYTES,
    checkQuorum: true,
    preVote: true,
    readOnlyOption: 'ReadOnlySafe',
    // The forwarder does it in batches, and knows what became of them.
    disableProposalForwarding: true,
    stepDownOnRemoval: true,
    rand: (n) => random.int(n),
    logger: {
      debug: (text) => logger.debug('raft.core', { text }),
      info: (text) => logger.debug('raft.core', { text }),
      warn: (text) => logger.warn('raft.core', { text }),
      error: (text) => logger.error('raft.core', { text }),
    },
  };
}
