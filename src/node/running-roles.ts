/** @module The roles of a node on one network: composed, started in order, and ended in the other. */
import { WorkerRunner } from '../common/worker-runner.ts';
import type { Logger } from '../common/logger.ts';
import { DataNode } from '../datanode/data-node.ts';
import type { MetadataNode } from '../metadata/metadata-node.ts';
import type { CopyRates } from '../protocol/messages.ts';
import type { Network } from '../network/network.ts';
import { BLOCK_RESERVE_BYTES } from '../storage/block-room.ts';
import { type FileBlockStore, openBlockStore } from '../storage/file-block-store.ts';
import type { DataDirectory } from './data-directory.ts';
import { DiskRate } from './disk-rate.ts';
import { blocksGone } from './errors.ts';
import { linkRate } from './link-rate.ts';
import { KnownMembers } from './known-members.ts';
import { ManifestFile } from './manifest-file.ts';
import { createMetadataNode, openMetadataStores } from './metadata-role.ts';
import type { NodeConfig, NodeRole } from './node-config.ts';
import { NodeEnding } from './node-ending.ts';
import { createNodeNetwork, type NodeNetworkComponents } from './node-network.ts';
import { PeerBook } from './peer-book.ts';
import { recallNodes } from './remembered-nodes.ts';
import { startMetrics } from './role-metrics.ts';
import { ScrubFile } from './scrub-file.ts';
import { WorkerPauses } from './worker-pauses.ts';

/** Free beside that, before the disk's speed is measured. */
const PROBE_ROOM_BYTES: number = 1024 * 1024 * 1024;

export interface RoleContext {
  readonly directory: DataDirectory;
  readonly config: NodeConfig;
  readonly roles: readonly NodeRole[];
  /** Start without the blocks that were held, if they are gone. */
  readonly acceptsLoss: boolean;
  readonly version: string;
  readonly metricsListen: string | undefined;
  readonly onFatal: (error: Error) => void;
  readonly cleanup: AsyncDisposableStack;
}

/** What was begun is left to `cleanup` in any case. The metadata node is ready before the network listens: nobody is turned away by a half-started registry. */
export async function startRoles(components: NodeNetworkComponents, context: RoleContext): Promise<Network> {
  const { directory, config, roles, version, cleanup } = context;
  const { logger } = components;
  const ending = new NodeEnding({ directory, logger }, context);
  cleanup.defer(() => ending.leaveTraces());
  const onFatal = ending.fatal;
  const stores = roles.includes('meta') ? await openMetadataStores(context, logger) : undefined;
  void stores?.damaged.then(ending.damaged);
  const blocks = roles.includes('data') ? await openBlocks(context, logger) : undefined;

  const { bootstrap, datanodes: earlier } = await recallNodes(directory, config, logger);
  const diskRate = new DiskRate(components, {
    directory: directory.blockDir,
    reserveBytes: BLOCK_RESERVE_BYTES + PROBE_ROOM_BYTES,
  });
  let data: DataNode | undefined;
  const { network, kademlia, selfLookup } = await createNodeNetwork(components, {
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
      { directory, config, bootstrap, version, workers: pauses.of('meta'), onFatal, cleanup },
    );
    network.authorize(metadata.authorizer);
    cleanup.defer(() => metadata?.stop());
    await metadata.start();
    void stores.damaged.then(onFatal);
  }
  if (blocks !== undefined) {
    const { number, clusterId, epoch, host, zone, hostGroup } = config;
    const generation = await directory.nextGeneration();
    const link = await linkRate();
    const rates = (): CopyRates => ({ disk: diskRate.bytesPerSecond, network: link });
    data = new DataNode(
      { ...components, blocks, network, kademlia, scrubs: new ScrubFile(directory.scrubFile, logger), rates },
      {
        number,
        generation,
        clusterId,
        epoch,
        bootstrap,
        earlier,
        nearby: () => network.neighbours(),
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
  const measuring = data === undefined ? [] : [diskRate];
  const bookKeeping = new WorkerRunner(components, [book, manifests, ...measuring]);
  cleanup.defer(async () => {
    await bookKeeping.stop();
    // What was heard in the last moments, too: at the next start it may be all there is.
    await book.work();
    await manifests.work();
  });
  bookKeeping.start();
  await network.start();
  const discovery = new WorkerRunner(components, [selfLookup]);
  cleanup.defer(() => discovery.stop());
  discovery.start();
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

/** Errors: NODE_BLOCKS_GONE, STORAGE_*. */
async function openBlocks(
  { directory, config, acceptsLoss, cleanup }: RoleContext,
  logger: Logger,
): Promise<FileBlockStore> {
  if (await directory.hasLostBlocks()) {
    if (!acceptsLoss) throw blocksGone(directory.blockDir, config.number);
    logger.warn('node.blocks-lost', { directory: directory.blockDir });
  }
  const blocks = await openBlockStore(directory.blockDir, {
    reserveBytes: BLOCK_RESERVE_BYTES,
    ...(config.capacityBytes === undefined ? {} : { capacityBytes: config.capacityBytes }),
    logger,
  });
  cleanup.defer(() => blocks.close());
  return blocks;
}
