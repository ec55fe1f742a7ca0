/** @module One process: a data directory, its network, and the roles that run on it. */
import type { Clock } from '../common/clock.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { WorkerRunner } from '../common/worker-runner.ts';
import type { Random } from '../common/random.ts';
import { DataNode } from '../datanode/data-node.ts';
import { type Identity, loadOrCreateIdentity } from '../network/identity.ts';
import type { MetadataNode } from '../metadata/metadata-node.ts';
import type { Network } from '../network/network.ts';
import type { BlockStore } from '../storage/block-store.ts';
import { type FileBlockStore, openBlockStore } from '../storage/file-block-store.ts';
import { DataDirectory } from './data-directory.ts';
import { configDamaged, hasLeft, identityMismatch, recoveryUnfinished } from './errors.ts';
import { KnownMembers } from './known-members.ts';
import { ManifestFile } from './manifest-file.ts';
import { createMetadataNode, openMetadataStores } from './metadata-role.ts';
import { changedConfig, type NodeChanges, rolesToRun } from './node-changes.ts';
import type { NodeConfig, NodeRole } from './node-config.ts';
import { createNodeNetwork } from './node-network.ts';
import { loadPeers, mergedPeers, PeerBook } from './peer-book.ts';
import { hasLostState } from './readmission.ts';
import { rejoinCluster } from './rejoin-cluster.ts';
import { ScrubFile } from './scrub-file.ts';
import { WorkerPauses } from './worker-pauses.ts';

/** Left free on the disk that holds the blocks, so that log and namespace of the same disk can still be written. */
export const BLOCK_RESERVE_BYTES: number = 512 * 1024 * 1024;

const DAMAGED_NAMESPACE = 'STORAGE_CORRUPT_ROWS';

export interface NodeComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface NodeOptions {
  readonly changes?: NodeChanges;
  /** Of the release that runs, for people. */
  readonly version?: string;
  /** host:port to serve Prometheus metrics at; none when absent. */
  readonly metricsListen?: string | undefined;
  /** Called at most once, when the node cannot go on; stop() is still to be called. */
  readonly onFatal: (error: Error) => void;
}

export interface RunningNode {
  readonly config: NodeConfig;
  readonly roles: readonly NodeRole[];
  readonly directory: string;
  /** Full multiaddrs others can dial. */
  readonly addresses: readonly string[];
  /** Ends the roles, closes the network and the stores, and lets the next process in. Repeating it waits for the same end. */
  stop(): Promise<void>;
}

/**
 * Starts the node that lives in `path`. What was begun is undone when a later step fails. A metadata node whose log is
 * damaged, incomplete or older than what its peers have seen does not vote with it: it comes back under a new number
 * (rejoin-cluster.ts), and is tried once more. A namespace that cannot be read is set aside and made anew from the log;
 * where the log does not reach back so far, that counts as a lost log.
 * Errors: NODE_NOT_INITIALISED, NODE_ALREADY_RUNNING, NODE_DIRECTORY_NOT_WRITABLE, NODE_CONFIG_DAMAGED, NODE_HAS_LEFT, NODE_RECOVERY_UNFINISHED,
 * NODE_REJOIN_ALONE, NODE_REJOIN_FAILED, NODE_IDENTITY_MISMATCH, NODE_ROLE_NOT_GRANTED, NETWORK_PORT_IN_USE, NETWORK_CANNOT_LISTEN, STORAGE_*.
 */
export async function startNode(
  components: NodeComponents,
  path: string,
  options: NodeOptions,
): Promise<RunningNode> {
  try {
    return await startReadable(components, path, options);
  } catch (error) {
    if (!hasLostState(error)) throw error;
    await rejoinCluster(components, path, error);
    return await startOnce(components, path, options);
  }
}

async function startReadable(
  components: NodeComponents,
  path: string,
  options: NodeOptions,
): Promise<RunningNode> {
  try {
    return await startOnce(components, path, options);
  } catch (error) {
    if (!isHoldfastError(error, DAMAGED_NAMESPACE)) throw error;
    await using directory = await DataDirectory.claim(path);
    await setDamagedAside(directory, components.logger);
  }
  return startOnce(components, path, options);
}

async function setDamagedAside(directory: DataDirectory, logger: Logger): Promise<void> {
  const kept = await directory.setNamespaceAside('damaged-namespace');
  logger.warn('node.namespace-set-aside', { kept });
}

async function startOnce(
  components: NodeComponents,
  path: string,
  { changes = {}, version = '', metricsListen, onFatal }: NodeOptions,
): Promise<RunningNode> {
  await using cleanup = new AsyncDisposableStack();
  const directory = cleanup.use(await DataDirectory.claim(path));
  const before = await directory.config();
  if (before.left) throw hasLeft(directory.path, before.number);
  const recovering = await directory.recoveryEpoch();
  if (recovering !== undefined) throw recoveryUnfinished(directory.path, recovering);
  const roles = rolesToRun(before, changes.roles);
  const config = await changedConfig(before, changes);
  if (config !== before) await directory.saveConfig(config);
  const identity = await ownIdentity(directory, config);
  const logger = components.logger.with({ node: config.number });

  const network = await startRoles(
    { ...components, logger, identity },
    { directory, config, roles, version, metricsListen, onFatal, cleanup },
  );
  const addresses = network.addresses();
  logger.info('node.started', { cluster: config.clusterId, peer: config.peer, roles, addresses });
  const running = cleanup.move();
  let stopped: Promise<void> | undefined;
  return {
    config,
    roles,
    directory: directory.path,
    addresses,
    stop() {
      stopped ??= running.disposeAsync().then(() => logger.info('node.stopped'));
      return stopped;
    },
  };
}

interface RoleContext {
  readonly directory: DataDirectory;
  readonly config: NodeConfig;
  readonly roles: readonly NodeRole[];
  readonly version: string;
  readonly metricsListen: string | undefined;
  readonly onFatal: (error: Error) => void;
  readonly cleanup: AsyncDisposableStack;
}

/** The metadata node is ready before the network listens: nobody is turned away by a half-started registry. */
async function startRoles(
  components: NodeComponents & { readonly identity: Identity },
  context: RoleContext,
): Promise<Network> {
  const { directory, config, roles, version, cleanup } = context;
  const { logger } = components;
  let isEnding = false;
  let isRemoved = false;
  let isRolledBack = false;
  let isDamaged = false;
  cleanup.defer(async () => {
    if (isRemoved) await directory.saveConfig({ ...config, left: true });
    // Whoever told it may not be there at the next start, which must not vote with this log either.
    if (isRolledBack) await directory.setAside(`lost-${config.number}`);
    // The next start may not touch the page that cannot be read, and fail as late as this one did.
    if (isDamaged) await setDamagedAside(directory, logger);
  });
  const onFatal = (error: Error): void => {
    logger.error('node.fatal', { error: describeError(error) });
    isRemoved ||= isHoldfastError(error, 'METADATA_REMOVED', 'DATANODE_REMOVED');
    isRolledBack ||= isHoldfastError(error, 'METADATA_ROLLED_BACK');
    if (!isEnding) context.onFatal(error);
    isEnding = true;
  };
  const stores = roles.includes('meta') ? await openMetadataStores(context, logger) : undefined;
  void stores?.damaged.then(() => (isDamaged = true));
  const blocks = roles.includes('data') ? await openBlocks(context, logger) : undefined;

  // What node.json names is as old as the node: one that was down while they changed would find nobody.
  const remembered = (await loadPeers(directory.peersFile, logger)) ?? [];
  const earlier = remembered.filter(({ isDatanode }) => isDatanode === true);
  const bootstrap = mergedPeers(
    remembered.filter(({ isDatanode }) => isDatanode !== true),
    config.bootstrap,
  );

  let data: DataNode | undefined;
  const { network, kademlia } = await createNodeNetwork(components, {
    config,
    isMetadataNode: stores !== undefined,
    known: new KnownMembers({ config, bootstrap, machine: () => stores?.machine, data: () => data }),
  });
  cleanup.defer(() => network.stop());

  const pauses = await WorkerPauses.load(directory.pausesFile, logger);
  let metadata: MetadataNode | undefined;
  if (stores !== undefined) {
    metadata = createMetadataNode(
      { ...components, ...stores, network, kademlia },
      { directory, config, bootstrap, version, workers: pauses.of('meta'), onFatal },
    );
    network.authorize(metadata.authorizer);
    cleanup.defer(() => metadata?.stop());
    await metadata.start();
    void stores.damaged.then(onFatal);
  }
  if (blocks !== undefined) {
    const { number, clusterId, epoch, host, zone, hostGroup } = config;
    const generation = await directory.nextGeneration();
    data = new DataNode(
      { ...components, blocks, network, kademlia, scrubs: new ScrubFile(directory.scrubFile, logger) },
      {
        number,
        generation,
        clusterId,
        epoch,
        bootstrap,
        earlier,
        host,
        zone,
        hostGroup,
        workers: pauses.of('data'),
        onFatal,
      },
    );
    if (stores === undefined) network.authorize(data.authorizer);
  }
  const book = new PeerBook(directory.peersFile, {
    members: () => stores?.machine.members() ?? data?.members() ?? [],
    earlier: stores === undefined ? bootstrap : [],
  });
  const manifests = new ManifestFile(directory.manifestFile, kademlia.manifests);
  await manifests.load(logger);
  const bookKeeping = new WorkerRunner(components, [book, manifests]);
  cleanup.defer(async () => {
    await bookKeeping.stop();
    // What was heard in the last moments, too: at the next start it may be all there is.
    await book.work();
    await manifests.work();
  });
  bookKeeping.start();
  await network.start();
  await metadata?.takePart();
  if (data !== undefined) {
    cleanup.defer(() => data?.stop());
    await data.start();
  }
  if (context.metricsListen !== undefined) {
    const metrics = await startMetrics(context.metricsListen, { blocks, data, metadata });
    cleanup.defer(() => metrics.stop());
  }
  return network;
}

interface MeasuredRoles {
  readonly blocks: BlockStore | undefined;
  readonly data: DataNode | undefined;
  readonly metadata: MetadataNode | undefined;
}

/** Loaded only where somebody asks for it. */
async function startMetrics(
  listen: string,
  { blocks, data, metadata }: MeasuredRoles,
): Promise<{ stop(): Promise<void> }> {
  const { MetricsServer } = await import('./metrics-server.ts');
  const workers = new Map([
    ...(metadata === undefined ? [] : [['meta', () => metadata.workers()] as const]),
    ...(data === undefined ? [] : [['data', () => data.workers()] as const]),
  ]);
  const source = {
    workers,
    ...(blocks && { usage: () => blocks.usage() }),
    ...(metadata && {
      raft: () => ({ ...metadata.status(), applied: metadata.appliedIndex, isLeader: metadata.isLeader }),
    }),
  };
  return MetricsServer.start(source, listen);
}

async function openBlocks(
  { directory, config, cleanup }: RoleContext,
  logger: Logger,
): Promise<FileBlockStore> {
  const blocks = await openBlockStore(directory.blockDir, {
    reserveBytes: BLOCK_RESERVE_BYTES,
    ...(config.capacityBytes === undefined ? {} : { capacityBytes: config.capacityBytes }),
    logger,
  });
  cleanup.defer(() => blocks.close());
  return blocks;
}

/** The key that goes with node.json. A missing one is never replaced: the peer id is who this node is. */
async function ownIdentity(directory: DataDirectory, config: NodeConfig): Promise<Identity> {
  const names = await directory.contents();
  if (!names.some((name) => directory.keyFile.endsWith(`/${name}`)))
    throw configDamaged(directory.keyFile, 'the file is missing');
  const identity = await loadOrCreateIdentity(directory.keyFile);
  if (identity.peer !== config.peer) throw identityMismatch(directory.path, config.peer, identity.peer);
  return identity;
}
