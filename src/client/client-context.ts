/** @module What every part of the client works with, wired once. */
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { MessageHasher } from '../common/message-hasher.ts';
import type { Random } from '../common/random.ts';
import { activeLevel, SUPPORTED_FEATURE_LEVEL } from '../namespace/feature-level.ts';
import type { Attributes, Cluster } from '../namespace/schema.ts';
import type { Network } from '../network/network.ts';
import { type CacheSettings, ClientCache } from './cache/client-cache.ts';
import { DefaultReplication } from './default-replication.ts';
import { GatheredReads } from './gathered-reads.ts';
import type { Owner } from './local-user.ts';
import type { LocalBlocks } from './local-blocks.ts';
import { ClusterView, type ClusterViewComponents, type ClusterViewOptions } from './cluster-view.ts';
import type { MemberMap } from './member-map.ts';
import type { MetadataPeers } from './metadata-peers.ts';
import { Mutations } from './mutations.ts';
import { NodeStanding } from './node-standing.ts';
import { MetadataPlans, type PlanSource } from './read-plan.ts';
import { QuorumWatch } from './quorum-watch.ts';
import { ReadTimes } from './read-times.ts';
import { SmallBlocks } from './small-blocks.ts';
import { SmallReads } from './small-reads.ts';

export interface ClientContextComponents extends ClusterViewComponents {
  /** Of blocks that were read. */
  readonly hasher: MessageHasher;
  /** Of a datanode on this machine. */
  readonly localBlocks?: LocalBlocks | undefined;
}

export interface ClientContextOptions extends ClusterViewOptions {
  /** This machine: copies on it are preferred. */
  readonly host: string;
  /** Owner of what this client makes. */
  readonly owner: Owner;
  /** None when absent. */
  readonly cache?: CacheSettings | undefined;
}

export class ClientContext {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly hasher: MessageHasher;
  readonly host: string;
  readonly localBlocks: LocalBlocks | undefined;
  readonly metadata: MetadataPeers;
  readonly quorum: QuorumWatch;
  readonly mutations: Mutations;
  readonly cache: ClientCache | undefined;
  /** What files are made of: as of now, but for what the cache may remember. */
  readonly plans: PlanSource;
  /** As of now. */
  readonly freshPlans: PlanSource;
  readonly defaultReplication: DefaultReplication;
  readonly smallBlocks: SmallBlocks;
  readonly smallReads: SmallReads;
  readonly standing: NodeStanding;
  readonly members: MemberMap;
  readonly readTimes: ReadTimes = new ReadTimes();
  readonly #options: ClientContextOptions;
  readonly #view: ClusterView;

  constructor(components: ClientContextComponents, options: ClientContextOptions) {
    this.network = components.network;
    this.clock = components.clock;
    this.random = components.random;
    this.logger = components.logger;
    this.hasher = components.hasher;
    this.host = options.host;
    this.localBlocks = components.localBlocks;
    this.#options = options;
    this.#view = new ClusterView(components, options);
    this.metadata = this.#view.metadata;
    this.members = this.#view.members;
    this.quorum = new QuorumWatch(this);
    const reads = new GatheredReads(this.metadata);
    this.freshPlans = new MetadataPlans({ metadata: this.metadata, reads });
    const { cache, profile } = options;
    this.cache =
      cache && new ClientCache({ ...components, source: this.freshPlans }, profile.clusterId, cache);
    this.plans = this.cache?.plans ?? this.freshPlans;
    this.mutations = new Mutations(
      {
        metadata: this.metadata,
        quorum: this.quorum,
        random: components.random,
        changed: async () => this.cache?.plans.forget(),
      },
      { owner: components.network.localPeer },
    );
    this.standing = new NodeStanding(components);
    this.defaultReplication = new DefaultReplication({
      reads,
      cluster: () => this.cluster(),
      clock: this.clock,
    });
    this.smallBlocks = new SmallBlocks(this);
    this.smallReads = new SmallReads(this);
  }

  /** The cluster's identity and defaults, which do not change. Asked for once, or until its feature level is this code's. */
  async cluster(): Promise<Cluster> {
    const known = await this.#view.cluster();
    // While metadata nodes are being upgraded the level is about to rise.
    return activeLevel(known) < SUPPORTED_FEATURE_LEVEL ? this.#view.learn() : known;
  }

  /** Of something new that this client makes; without a mode the kind's default counts. */
  attributes(mode?: number): Attributes {
    const { user: owner, group } = this.#options.owner;
    return { owner, group, mode };
  }

  /** Ends every call in flight with CLIENT_CLOSED. */
  close(): Promise<void> {
    return this.#view.close();
  }
}
