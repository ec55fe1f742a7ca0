/**
 * @module What a client knows of its cluster, kept true: asked for from time to time while it works, searched for when the metadata nodes it
 * knows do not answer, and remembered for the next client with its profile.
 */
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import type { Cluster } from '../namespace/schema.ts';
import type { Network, PeerId } from '../network/network.ts';
import type { Membership } from '../protocol/index-membership.ts';
import type { MembersResponse } from '../protocol/messages.ts';
import { MEMBERS } from '../protocol/methods.ts';
import { unexpectedAnswer } from './errors.ts';
import { MemberMap } from './member-map.ts';
import { metadataNodesOf } from './known-metadata.ts';
import { MetadataPeers } from './metadata-peers.ts';
import { MetadataSearch } from './metadata-search.ts';
import { type KnownPeer, MAX_KNOWN_DATANODES, type Profile } from './profile.ts';

export interface ClusterViewComponents {
  /** Started. */
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface ClusterViewOptions {
  readonly profile: Profile;
  /** Peers heard of in the local network: anybody may say anything there. */
  readonly nearby?: (() => readonly PeerId[]) | undefined;
  /** How often a client at work asks which metadata nodes there are, in milliseconds; DEFAULT_REFRESH_PERIOD_MS when absent. */
  readonly refreshPeriodMs?: number | undefined;
  /** Keeps a profile that has changed. */
  readonly remember: (profile: Profile) => Promise<void>;
}

/** Much shorter than what it takes until all the metadata nodes that a client knows are replaced by others. */
const DEFAULT_REFRESH_PERIOD_MS = 10_000;
/** Sooner when one of them did not answer. */
const REFRESH_AFTER_SILENCE_MS = 1_000;

export class ClusterView {
  readonly metadata: MetadataPeers;
  readonly members: MemberMap = new MemberMap();
  readonly #components: ClusterViewComponents;
  readonly #options: ClusterViewOptions;
  readonly #search: MetadataSearch;
  readonly #closing = new AbortController();
  #searching: Promise<void> | undefined;
  #learning: Promise<Cluster> | undefined;
  #cluster: Cluster | undefined;
  #learnedMs: number;
  /** As it is remembered, or about to be: one after the other. */
  #profile: Profile;
  #remembering: Promise<void> = Promise.resolve();

  constructor(components: ClusterViewComponents, options: ClusterViewOptions) {
    this.#components = components;
    this.#options = options;
    this.#profile = options.profile;
    this.metadata = new MetadataPeers(
      {
        ...components,
        answered: (attempts) => this.#refresh(attempts),
        unanswered: () => (this.#searching ??= this.#find().finally(() => (this.#searching = undefined))),
      },
      options.profile.peers,
    );
    this.#search = new MetadataSearch(components, {
      clusterId: options.profile.clusterId,
      known: () => this.#known(),
      doors: () => [...this.#profile.peers, ...(this.#profile.datanodes ?? [])],
      nearby: options.nearby ?? ((): readonly PeerId[] => []),
    });
    this.#learnedMs = components.clock.monotonicMs();
    this.#learnInBackground();
  }

  /** The cluster's identity and defaults; asked for once, or again when that failed. Nobody waits for newer ones. */
  async cluster(): Promise<Cluster> {
    return this.#cluster ?? this.#learning ?? this.learn();
  }

  /** One question tells the defaults and the metadata nodes there are now. A failure is forgotten: the next asks again. */
  learn(): Promise<Cluster> {
    const learning = this.metadata.ask(MEMBERS, this.members.question()).then((answer) => this.#take(answer));
    this.#learning = learning;
    learning.catch(() => {
      if (this.#learning === learning) this.#learning = undefined;
    });
    return learning;
  }

  /** Ends every call in flight with CLIENT_CLOSED. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.metadata.close();
    // Its failure was seen by whoever asked for it; here only its end matters.
    await this.#learning?.catch(() => {});
    await this.#searching;
  }

  /** Metadata nodes come and go: a client that lives long must not know only those it began with. */
  #refresh(attempts: number): void {
    const periodMs = this.#options.refreshPeriodMs ?? DEFAULT_REFRESH_PERIOD_MS;
    const nowMs = this.#components.clock.monotonicMs();
    if (nowMs - this.#learnedMs < (attempts > 1 ? Math.min(REFRESH_AFTER_SILENCE_MS, periodMs) : periodMs))
      return;
    this.#learnedMs = nowMs;
    this.#learnInBackground();
  }

  #learnInBackground(): void {
    this.learn().catch((error: unknown) =>
      this.#components.logger.debug('client.not-learned', { error: describeError(error) }),
    );
  }

  async #take(answer: MembersResponse): Promise<Cluster> {
    const { cluster } = answer;
    if (cluster === undefined) throw unexpectedAnswer(MEMBERS.name, 'no cluster');
    this.members.take(answer);
    const active = this.members.all().filter(({ state }) => state !== 'left');
    const datanodes = active
      .filter(({ roles }) => roles.includes('data') && !roles.includes('meta'))
      .map(({ peer, addresses }): KnownPeer => ({ peer, addresses }))
      .slice(0, MAX_KNOWN_DATANODES);
    this.metadata.replace(metadataNodesOf(active));
    await this.#remember({
      ...this.#profile,
      clusterId: cluster.id,
      clusterName: cluster.name,
      peers: this.metadata.known,
      epoch: this.members.metadata.epoch,
      datanodes,
    });
    this.#cluster = cluster;
    return cluster;
  }

  /** Those that were found answer for themselves: what they say of the members is asked for as always. Never rejects. */
  async #find(): Promise<void> {
    const { logger } = this.#components;
    try {
      const found = await this.#search.search(this.#closing.signal);
      if (found === undefined) return;
      logger.info('client.metadata-found', { ...found });
      this.metadata.replace(found.peers);
      await this.#remember({ ...this.#profile, ...found });
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    }
  }

  /** By the list of members, or by what was remembered or found when that is newer. */
  #known(): Membership {
    const listed = this.members.metadata;
    const { epoch = 0, peers } = this.#profile;
    return listed.epoch > epoch ? listed : { epoch, peers: peers.map(({ peer }) => peer) };
  }

  async #remember(profile: Profile): Promise<void> {
    if (JSON.stringify(profile) === JSON.stringify(this.#profile)) return;
    this.#profile = profile;
    this.#remembering = this.#remembering.then(() => this.#keep(profile));
    await this.#remembering;
  }

  async #keep(profile: Profile): Promise<void> {
    // One that came meanwhile is newer.
    if (profile !== this.#profile) return;
    try {
      await this.#options.remember(profile);
    } catch (error) {
      // The profile may lie on a read-only disk; the client works on with what it knows.
      this.#components.logger.warn('client.profile-not-saved', { error: describeError(error) });
    }
  }
}
