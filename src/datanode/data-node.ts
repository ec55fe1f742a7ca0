/** @module The datanode: takes, forwards, serves and announces blocks, and reports to every metadata node. */
import type { Membership } from '../../dht/membership-ring.ts';
import { MIB } from '../common/bytes.ts';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import { PieceMemory } from '../common/piece-memory.ts';
import type { WorkerStanding } from '../common/worker.ts';
import { WorkerRunner, type WorkerRunnerOptions } from '../common/worker-runner.ts';
import type { Member } from '../namespace/schema.ts';
import { serve } from '../network/method.ts';
import type { Authorizer, Network, PeerId } from '../network/network.ts';
import type { CopyRates, ScrubReport } from '../protocol/messages.ts';
import {
  BLOCK_READ_CHANNEL,
  BLOCK_WRITE_CHANNEL,
  BLOCKS_HERE,
  DATA_WORKER_CONTROL,
  DATA_WORKERS,
  READ_BLOCKS,
  REPLICATE,
  WRITE_BLOCKS,
} from '../protocol/methods.ts';
import { serveWorkers } from '../protocol/worker-service.ts';
import { type BlockStore, CHUNK_BYTES } from '../storage/block-store.ts';
import { BackgroundPace } from './background-pace.ts';
import { BlockIndexer, type ChangingRing } from './block-indexer.ts';
import { BlockReceiver } from './block-receiver.ts';
import { BlockSender } from './block-sender.ts';
import { CopyService } from './copy-service.ts';
import { GarbageCollector } from './garbage-collector.ts';
import { listBlocksHere } from './blocks-here.ts';
import { LoadMeter } from './load-meter.ts';
import { type KnownMetadataNode, MemberDirectory } from './member-directory.ts';
import type { MetadataFinder } from './metadata-search.ts';
import { MetadataSession } from './metadata-session.ts';
import { NeighbourWatch } from './neighbour-watch.ts';
import { NamespaceReferences } from './references.ts';
import { Replicator } from './replicator.ts';
import { Scrubber, type ScrubStore } from './scrubber.ts';
import { SmallBlockReceiver } from './small-block-receiver.ts';
import { SmallBlockSender } from './small-block-sender.ts';
import { SpareCopies } from './spare-copies.ts';
import { WriteEras } from './write-eras.ts';

export interface DataNodeComponents {
  readonly network: Network;
  readonly blocks: BlockStore;
  /** Finds metadata nodes through provider records of the private DHT, and says which own which shard. */
  readonly kademlia: MetadataFinder & ChangingRing;
  /** Where the scrub stands, over restarts. */
  readonly scrubs?: ScrubStore | undefined;
  /** What disk and network allow, as far as it is known by now. */
  readonly rates?: (() => CopyRates) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface DataNodeOptions {
  /** Member number. */
  readonly number: number;
  /** Counts the starts of this datanode; must rise with each. */
  readonly generation: number;
  readonly clusterId: string;
  /** Of the cluster when this node joined. */
  readonly epoch: number;
  /** Metadata nodes to begin with. */
  readonly bootstrap: readonly KnownMetadataNode[];
  /** Other nodes that were there at the last start: asked where the metadata nodes are, when those have gone. */
  readonly earlier?: readonly KnownMetadataNode[] | undefined;
  /** Peers heard of in the local network: anybody may say anything there. */
  readonly nearby?: (() => readonly PeerId[]) | undefined;
  /** The machine, for spreading copies over machines, and what else fails together. */
  readonly host: string;
  readonly zone?: string | undefined;
  readonly hostGroup?: string | undefined;
  /** Which background workers are paused. */
  readonly workers?: WorkerRunnerOptions | undefined;
  /** Called at most once, when the cluster goes on without this node (DATANODE_REMOVED, DATANODE_SUPERSEDED). */
  readonly onFatal: (error: Error) => void;
}

/** Of pieces of blocks, kept for the next readers and copies: what those of four blocks have on their way. */
const SPARE_BYTES: number = 8 * MIB;

/**
 * Network and block store stay the caller's to start, stop and close. The caller also installs the rule of admission:
 * `network.authorize(dataNode.authorizer)` in a process without a metadata role.
 */
export class DataNode {
  readonly #components: DataNodeComponents;
  readonly #members: MemberDirectory;
  readonly #session: MetadataSession;
  readonly #watch: NeighbourWatch;
  readonly #indexer: BlockIndexer;
  readonly #receiver: BlockReceiver;
  readonly #smallReceiver: SmallBlockReceiver;
  readonly #sender: BlockSender;
  readonly #smallSender: SmallBlockSender;
  readonly #replicator: Replicator;
  readonly #copies: CopyService;
  readonly #workers: WorkerRunner;
  readonly #scrubber: Scrubber;
  readonly #load: LoadMeter;
  readonly #options: DataNodeOptions;

  constructor(components: DataNodeComponents, options: DataNodeOptions) {
    this.#components = components;
    this.#options = options;
    const load: LoadMeter = new LoadMeter({ ...components, scrub: () => scrubber.report() });
    const members = new MemberDirectory(components, options.bootstrap);
    const indexer = new BlockIndexer(components, options);
    const watch = new NeighbourWatch(
      { ...components, members },
      { number: options.number, onSilence: () => this.#session.beatNow() },
    );
    const eras = new WriteEras();
    const pace = new BackgroundPace({ ...components, load });
    const memory = new PieceMemory({ pieceBytes: CHUNK_BYTES, spareBytes: SPARE_BYTES });
    const parts = { ...components, load, members, indexer, watch, eras, pace, memory };
    const references = new NamespaceReferences(parts);
    const spares = new SpareCopies(parts, options);
    const collector = new GarbageCollector({ ...parts, references, spares });
    const scrubber: Scrubber = new Scrubber(parts);
    this.#copies = new CopyService({ ...parts, references, spares, collector, scrubber }, options);
    this.#workers = new WorkerRunner(components, [collector, scrubber], options.workers);
    this.#scrubber = scrubber;
    this.#watch = watch;
    this.#load = load;
    this.#members = members;
    this.#indexer = indexer;
    this.#session = new MetadataSession(parts, options);
    this.#receiver = new BlockReceiver(parts, options);
    this.#smallReceiver = new SmallBlockReceiver(parts, options);
    this.#sender = new BlockSender(parts);
    this.#smallSender = new SmallBlockSender(parts);
    this.#replicator = new Replicator(parts);
  }

  /** The metadata nodes that hold the location index, as far as known here. */
  indexMembership(): Membership {
    return this.#members.indexMembership();
  }

  /** The metadata nodes whose word counts here. */
  knownMetadata(): Membership {
    return this.#members.knownMetadata();
  }

  /** What its background workers do. */
  workers(): readonly WorkerStanding[] {
    return this.#workers.standings();
  }

  /** How far reading everything is; undefined before the first step. */
  scrub(): ScrubReport | undefined {
    return this.#scrubber.report();
  }

  /** Active members of the cluster as last heard; none before the first heartbeat. */
  members(): readonly Member[] {
    return this.#members.members();
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
    serve(network, WRITE_BLOCKS, (request, { signal }) => this.#smallReceiver.receive(request, signal));
    serve(network, READ_BLOCKS, (request) => this.#smallSender.send(request));
    serve(network, REPLICATE, (request, { signal }) => this.#replicator.replicate(request, signal));
    const here = { blocks, load: this.#load };
    serve(network, BLOCKS_HERE, (request) => listBlocksHere(here, this.#options.number, request));
    this.#copies.start();
    const methods = { list: DATA_WORKERS, control: DATA_WORKER_CONTROL };
    serveWorkers({ network, workers: this.#workers }, methods, (peer) => this.#mayControl(peer));
    this.#workers.start();
    this.#watch.start();
    this.#session.start();
  }

  /** Whoever got here is a member; one that has joined too lately to be listed is no datanode that we know of. */
  #mayControl(peer: PeerId): boolean {
    const roles = this.#members.byPeer(peer)?.roles;
    return roles === undefined || roles.includes('client') || roles.includes('meta');
  }

  /** Ends heartbeats and announcements; transfers in flight end with the network. */
  async stop(): Promise<void> {
    await this.#workers.stop();
    await this.#watch.stop();
    await this.#session.stop();
    await this.#indexer.stop();
  }
}
