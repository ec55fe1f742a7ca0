/** @module A whole cluster in one process: metadata nodes, datanodes on memory stores, and clients. */
import type { ManifestBook } from '../../dht/manifest-book.ts';
import { type Membership, MembershipRing } from '../../dht/membership-ring.ts';
import { Client } from '../../src/client/client.ts';
import { type ConnectOptions, connect } from '../../src/client/connect.ts';
import { systemClock } from '../../src/common/clock.ts';
import { type Logger, silentLogger } from '../../src/common/logger.ts';
import { DataNode } from '../../src/datanode/data-node.ts';
import type { KnownMetadataNode } from '../../src/datanode/member-directory.ts';
import { call } from '../../src/network/method.ts';
import type { Network, PeerId } from '../../src/network/network.ts';
import { createManifestBook } from '../../src/protocol/manifest-exchange.ts';
import { STATUS } from '../../src/protocol/methods.ts';
import { MemoryBlockStore } from '../../src/storage/memory-block-store.ts';
import { CLUSTER_ID, TestCluster } from '../metadata/cluster.ts';

export interface RunningDataNode {
  readonly number: number;
  readonly peer: PeerId;
  readonly network: Network;
  readonly blocks: MemoryBlockStore;
  readonly dataNode: DataNode;
}

export class FileCluster {
  readonly metadata: TestCluster;
  readonly datanodes: RunningDataNode[] = [];
  /** Why datanodes stopped. */
  readonly fatal: Error[] = [];
  readonly #clients: Client[] = [];
  readonly #logger: Logger;

  private constructor(metadata: TestCluster, logger: Logger) {
    this.metadata = metadata;
    this.#logger = logger;
  }

  /** Every datanode runs on a host of its own, 'host-0' onwards, and is registered everywhere. */
  static async start(
    metadataNodes: number,
    datanodes: number,
    logger: Logger = silentLogger,
  ): Promise<FileCluster> {
    const cluster = new FileCluster(await TestCluster.start(metadataNodes, {}, logger), logger);
    for (let count = 0; count < datanodes; count += 1) await cluster.addDataNode();
    await cluster.untilRegistered(datanodes);
    return cluster;
  }

  async addDataNode(blocks: MemoryBlockStore = new MemoryBlockStore()): Promise<RunningDataNode> {
    const network = await this.metadata.newPeer();
    const host = `host-${this.datanodes.length}`;
    const { member, metadataNodes } = await this.metadata.join(network, ['data'], host);
    if (member === undefined) throw new Error('the join answer names no member');
    return this.startDataNode({ number: member.number, network, blocks }, metadataNodes, host);
  }

  startDataNode(
    { number, network, blocks }: Pick<RunningDataNode, 'number' | 'network' | 'blocks'>,
    bootstrap: readonly KnownMetadataNode[],
    host: string,
    generation = 1,
  ): RunningDataNode {
    let dataNode: DataNode | undefined;
    const first = { epoch: 0, peers: bootstrap.map(({ peer }) => peer) };
    const kademlia = new TestFinder(() => dataNode?.indexMembership() ?? first, network);
    dataNode = new DataNode(
      { network, blocks, kademlia, clock: systemClock, logger: this.#logger },
      {
        number,
        generation,
        clusterId: CLUSTER_ID,
        epoch: 1,
        bootstrap,
        host,
        onFatal: (error) => this.fatal.push(error),
      },
    );
    network.authorize(dataNode.authorizer);
    dataNode.start();
    const running = { number, peer: network.localPeer, network, blocks, dataNode };
    this.datanodes.push(running);
    return running;
  }

  /** As kill -9. */
  async killDataNode(running: RunningDataNode): Promise<void> {
    this.metadata.switch.kill(running.peer);
    this.datanodes.splice(this.datanodes.indexOf(running), 1);
    await running.dataNode.stop();
    await running.network.stop();
  }

  /** Starts one that killDataNode() ended, on its disk. */
  async restartDataNode({ number, peer, blocks }: RunningDataNode): Promise<RunningDataNode> {
    const network = await this.metadata.reopen(peer);
    const bootstrap = [...this.metadata.nodes.values()].map((node) => ({ peer: node.peer, addresses: [] }));
    return this.startDataNode({ number, network, blocks }, bootstrap, 'restarted', 2);
  }

  async client(host = 'elsewhere', options: ConnectOptions = {}): Promise<Client> {
    const network = await this.metadata.client();
    const peers = [...this.metadata.nodes.values()].map(({ peer }) => ({ peer, addresses: [] }));
    const profile = { clusterId: CLUSTER_ID, clusterName: 'test', peers };
    const client = await connect({ network, profile, host, logger: this.#logger, ...options });
    this.#clients.push(client);
    return client;
  }

  /** Waits until every metadata node calls `count` datanodes alive. */
  async untilRegistered(count: number): Promise<void> {
    const network = await this.metadata.client();
    for (const { peer } of this.metadata.nodes.values()) {
      let alive = -1;
      let isAsking = false;
      await this.metadata.until(`${count} datanodes are registered`, () => {
        if (!isAsking && alive !== count) {
          isAsking = true;
          call(network, peer, STATUS, { stale: true })
            .then((status) => {
              alive = status.dataNodes.filter(({ liveness }) => liveness === 'alive').length;
            })
            .finally(() => (isAsking = false));
        }
        return alive === count;
      });
    }
  }

  holdersOf(hash: string): RunningDataNode[] {
    return this.datanodes.filter(({ blocks }) => blocks.has(hash));
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) await client.close();
    for (const { dataNode } of this.datanodes) await dataNode.stop();
    await this.metadata.stop();
  }
}

/** Every metadata node known to the datanode is in the ring; there is no DHT to search. */
class TestFinder extends MembershipRing {
  readonly manifests: ManifestBook;

  constructor(known: () => Membership, network: Network) {
    super(known);
    this.manifests = createManifestBook({ network, logger: silentLogger }, { cluster: CLUSTER_ID, known });
  }

  async fetchManifest(): Promise<void> {}

  async *findMetadata(): AsyncGenerator<KnownMetadataNode> {}
}
