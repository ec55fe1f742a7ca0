/** @module What a metadata node is made of and how it is set. */
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import type { BackgroundWorker } from '../common/worker.ts';
import type { WorkerRunnerOptions } from '../common/worker-runner.ts';
import type { Member } from '../namespace/schema.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { Network } from '../network/network.ts';
import type { Files } from '../storage/files.ts';
import type { PageStore } from '../storage/page-store.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import type { MetadataDiscovery } from './discovery-worker.ts';
import type { PlacementPolicy } from './placement.ts';
import type { WitnessStore } from './witness.ts';

export interface MetadataNodeComponents {
  readonly network: Network;
  /** Bootstrapped (genesis.ts) on the founder, empty on a node that joins. */
  readonly log: RaftLogStore;
  readonly machine: StateMachine;
  /** The ring of shard holders, and how to be found. */
  readonly kademlia: MetadataDiscovery;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Where snapshot files are kept; systemFiles when absent. */
  readonly files?: Files;
  /** What is remembered of the other metadata nodes outlives the process; without it, it does not. */
  readonly witnessStore?: WitnessStore;
  /** For the part of the location index that does not fit into memory; the caller disposes of it. */
  readonly locationPages?: PageStore;
  /** FreeSpacePlacement when absent. */
  readonly placement?: PlacementPolicy;
  /** Listed, paused and hurried with the others. */
  readonly furtherWorkers?: readonly BackgroundWorker[];
}

export interface MetadataNodeOptions {
  /** Member number, and raft node id. */
  readonly number: number;
  /** Where snapshot files are kept. */
  readonly snapshotDir: string;
  /** Members the join answer named; needed until the registry has arrived here. */
  readonly seeds?: readonly Member[];
  /** Called once when storage or state machine failed; the process must stop the node. */
  readonly onFatal: (error: Error) => void;
  /** After which a change, or a linearizable read, is answered METADATA_NO_QUORUM or _OUTCOME_UNKNOWN. */
  readonly submitLimitMs?: number;
  readonly readLimitMs?: number;
  /** Id of the cluster it joined; the registry says it, too, once it is here. */
  readonly cluster?: string;
  /** Epoch the node joined in, or was recovered to; the registry may be behind it. */
  readonly epoch?: number;
  /** Of the release that runs, for people. */
  readonly version?: string;
  readonly tickMs?: number;
  readonly maxLogEntries?: number;
  readonly maxLogBytes?: number;
  readonly trailingEntries?: number;
  /** Which background workers are paused. */
  readonly workers?: WorkerRunnerOptions;
  /** Memory for the location index, in bytes; DEFAULT_INDEX_BYTES when absent. */
  readonly indexMemoryBytes?: number;
  /** Disk for what does not fit there, in bytes; defaultIndexDiskBytes() when absent. */
  readonly indexDiskBytes?: number;
  /** Shards with less memory are not written to disk; DEFAULT_MIN_SHARD_BYTES when absent. */
  readonly indexMinShardBytes?: number;
  /** Rate of the snapshots this node sends, all together. */
  readonly maxSnapshotBytesPerSecond?: number;
}
