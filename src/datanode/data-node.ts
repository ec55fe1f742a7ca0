/** @module The datanode: takes, forwards, serves and announces blocks, and reports to every metadata node. */
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import { serve } from '../network/method.ts';
import type { Authorizer, Network } from '../network/network.ts';
import { BLOCK_READ_CHANNEL, BLOCK_WRITE_CHANNEL, BLOCKS_HERE, REPLICATE } from '../protocol/methods.ts';
import type { BlockStore } from '../storage/block-store.ts';
import { type KnownMetadataNode, type MetadataFinder, MetadataSession } from './metadata-session.ts';
import { BlockIndexer } from './block-indexer.ts';
import { BlockReceiver } from './block-receiver.ts';
import { BlockSender } from './block-sender.ts';
import { listBlocksHere } from './blocks-here.ts';
import { LoadMeter } from './load-meter.ts';
import { MemberDirectory } from './member-directory.ts';
import { Replicator } from './replicator.ts';

export interface DataNodeComponents {
  readonly network: Network;
  readonly blocks: BlockStore;
  /** Finds metadata nodes through provider records of the private DHT. */
  readonly kademlia: MetadataFinder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface DataNodeOptions {
  /** Member number. */
  readonly number: number;
  /** Counts the starts of this datanode; must rise with each. */
  readonly generation: number;
  /** Metadata nodes to begin with. */
  readonly bootstrap: readonly KnownMetadataNode[];
  /** The machine, for spreading copies over machines. */
  readonly host: string;
}

/**
 * Network and block store stay the caller's to start, stop and close. The caller also installs the rule of admission:
 * `network.authorize(dataNode.authorizer)` in a process without a metadata role.
 */
export class DataNode {
  readonly #components: DataNodeComponents;
  readonly #members: MemberDirectory;
  readonly #session: MetadataSession;
  readonly #indexer: BlockIndexer;
  readonly #receiver: BlockReceiver;
  readonly #sender: BlockSender;
  readonly #replicator: Replicator;
  readonly #load: LoadMeter;
  readonly #options: DataNodeOptions;

  constructor(components: DataNodeComponents, options: DataNodeOptions) {
    this.#components = components;
    this.#options = options;
    this.#load = new LoadMeter(components.blocks);
    this.#members = new MemberDirectory(components);
    this.#indexer = new BlockIndexer({ ...components, members: this.#members }, options);
    this.#session = new MetadataSession(
      { ...components, members: this.#members, load: this.#load, indexer: this.#indexer },
      options,
    );
    this.#receiver = new BlockReceiver({ ...components, indexer: this.#indexer, load: this.#load }, options);
    this.#sender = new BlockSender({ ...components, indexer: this.#indexer, load: this.#load });
    this.#replicator = new Replicator(components, options);
  }

  /** Members of the cluster may speak control and bulk here; nobody may speak raft. */
  get authorizer(): Authorizer {
    return (peer, trafficClass) => trafficClass !== 'raft' && this.#members.isMember(peer);
  }

  /** Serves at once; registers in the background as metadata nodes are found. */
  async start(): Promise<void> {
    const { network, blocks } = this.#components;
    network.onChannel(BLOCK_WRITE_CHANNEL, (channel) => this.#receiver.receive(channel));
    network.onChannel(BLOCK_READ_CHANNEL, (channel) => this.#sender.send(channel));
    serve(network, REPLICATE, (request, { signal }) => this.#replicator.replicate(request, signal));
    serve(network, BLOCKS_HERE, async (request) =>
      listBlocksHere({ blocks, load: this.#load }, { node: this.#options.number, request }),
    );
    await this.#session.start();
  }

  /** Ends heartbeats and announcements; transfers in flight end with the network. */
  async stop(): Promise<void> {
    await this.#session.stop();
    await this.#indexer.stop();
  }
}
