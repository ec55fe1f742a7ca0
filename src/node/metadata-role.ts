/** @module The role `meta` of a node: its log, its namespace, and the metadata node over them. */
import type { Kademlia } from '../../dht/kademlia.ts';
import type { Client } from '../client/client.ts';
import type { Clock } from '../common/clock.ts';
import type { HoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import type { WorkerRunnerOptions } from '../common/worker-runner.ts';
import { defaultIndexDiskBytes } from '../metadata/location-index.ts';
import { MetadataNode } from '../metadata/metadata-node.ts';
import { Member } from '../namespace/schema.ts';
import { StateMachine } from '../namespace/state-machine.ts';
import type { Network } from '../network/network.ts';
import { FilePageStore } from '../storage/file-page-store.ts';
import type { PageStore } from '../storage/page-store.ts';
import { openRaftLog } from '../storage/raft-log-file.ts';
import { openRowStore } from '../storage/sqlite-row-store.ts';
import { defaultIndexBytes } from './index-memory.ts';
import type { DataDirectory } from './data-directory.ts';
import type { BootstrapPeer, NodeConfig } from './node-config.ts';
import { NamespaceBackup } from './namespace-backup.ts';
import { WitnessFile } from './witness-file.ts';

export interface MetadataRoleComponents {
  readonly network: Network;
  readonly kademlia: Kademlia;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface MetadataStores {
  readonly log: Awaited<ReturnType<typeof openRaftLog>>;
  readonly machine: StateMachine;
  readonly locationPages: PageStore;
  /** Resolves with STORAGE_CORRUPT_ROWS when the namespace's file turns out to be unreadable. */
  readonly damaged: Promise<HoldfastError>;
}

export interface MetadataRoleContext {
  readonly directory: DataDirectory;
  readonly config: NodeConfig;
  readonly cleanup: AsyncDisposableStack;
  /** See OpenRaftLogOptions. */
  readonly acceptLoss?: boolean;
}

/** Opens log and namespace; what was opened is closed by `cleanup`, in reverse order. */
export async function openMetadataStores(
  { directory, config, cleanup, acceptLoss = false }: MetadataRoleContext,
  logger: Logger,
): Promise<MetadataStores> {
  const log = await openRaftLog(directory.raftLogFile, { logger, mustExist: true, acceptLoss });
  cleanup.defer(() => log.close());
  const store = await openRowStore(directory.namespaceFile);
  cleanup.defer(() => store.close());
  const machine = await StateMachine.open(
    { store },
    config.metadataCacheBytes === undefined ? {} : { cacheSizeBytes: config.metadataCacheBytes },
  );
  cleanup.defer(() => machine.close());
  const maxBytes =
    config.indexDiskBytes ?? defaultIndexDiskBytes(config.indexMemoryBytes ?? defaultIndexBytes());
  const locationPages = await FilePageStore.open(directory.locationPagesFile, { maxBytes });
  cleanup.use(locationPages);
  return { log, machine, locationPages, damaged: store.damaged };
}

export function createMetadataNode(
  components: MetadataRoleComponents & MetadataStores,
  options: {
    readonly directory: DataDirectory;
    readonly config: NodeConfig;
    readonly bootstrap: readonly BootstrapPeer[];
    readonly version: string;
    readonly workers: WorkerRunnerOptions;
    readonly onFatal: (error: Error) => void;
    readonly cleanup: AsyncDisposableStack;
  },
): MetadataNode {
  const { config, bootstrap, directory, version, workers, onFatal, cleanup } = options;
  const witnessStore = new WitnessFile(directory.witnessFile, components.logger);
  const backup = new NamespaceBackup(
    { ...components, connect: () => connectAsNode(components, config) },
    { isLeader: () => node.isLeader },
  );
  cleanup.use(backup);
  const node: MetadataNode = new MetadataNode(
    { ...components, witnessStore, furtherWorkers: [backup] },
    {
      number: config.number,
      cluster: config.clusterId,
      epoch: config.epoch,
      version,
      workers,
      snapshotDir: directory.snapshotDir,
      seeds: seedsOf(bootstrap),
      ...(config.snapshotBytesPerSecond !== undefined && {
        maxSnapshotBytesPerSecond: config.snapshotBytesPerSecond,
      }),
      indexMemoryBytes: config.indexMemoryBytes ?? defaultIndexBytes(),
      ...(config.indexDiskBytes !== undefined && { indexDiskBytes: config.indexDiskBytes }),
      onFatal,
    },
  );
  return node;
}

/** For what the node itself keeps in the cluster. The client is the caller's to close, the network stays. */
async function connectAsNode(
  components: MetadataRoleComponents,
  { clusterId, clusterName, host, peer }: NodeConfig,
): Promise<Client> {
  const { connect } = await import('../client/connect.ts');
  const profile = { clusterId, clusterName, peers: [{ peer, addresses: [] }] };
  const owner = { user: 'holdfast', group: 'holdfast' };
  return connect({ ...components, profile, host, owner });
}

function seedsOf(bootstrap: readonly BootstrapPeer[]): Member[] {
  return bootstrap.map(({ number, peer, addresses }) =>
    Member.fromPartial({ number, peer, addresses: [...addresses], roles: ['meta'], state: 'active' }),
  );
}
