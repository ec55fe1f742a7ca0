/** @module What every part of the client works with, wired once. */
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import { activeLevel, SUPPORTED_FEATURE_LEVEL } from '../namespace/feature-level.ts';
import type { Attributes, Cluster } from '../namespace/schema.ts';
import type { Network } from '../network/network.ts';
import type { MembersResponse } from '../protocol/messages.ts';
import { MEMBERS } from '../protocol/methods.ts';
import { unexpectedAnswer } from './errors.ts';
import type { Owner } from './local-user.ts';
import type { LocalBlocks } from './local-blocks.ts';
import { MemberMap } from './member-map.ts';
import { MetadataPeers } from './metadata-peers.ts';
import { Mutations } from './mutations.ts';
import { NodeStanding } from './node-standing.ts';
import { ReadTimes } from './read-times.ts';
import type { Profile } from './profile.ts';

export interface ClientContextComponents {
  /** Started. */
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Of a datanode on this machine. */
  readonly localBlocks?: LocalBlocks | undefined;
}

export interface ClientContextOptions {
  /** How often a client at work asks which metadata nodes there are, in milliseconds. */
  readonly refreshPeriodMs?: number | undefined;
  readonly profile: Profile;
  /** This machine: copies on it are preferred. */
  readonly host: string;
  /** Owner of what this client makes. */
  readonly owner: Owner;
  /** Keeps a profile whose metadata nodes have changed. */
  readonly remember: (profile: Profile) => Promise<void>;
}

/** Much shorter than what it takes until all the metadata nodes that a client knows are replaced by others. */
export const DEFAULT_REFRESH_PERIOD_MS = 10_000;
/** Sooner when one of them did not answer. */
const REFRESH_AFTER_SILENCE_MS = 1_000;

export class ClientContext {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly host: string;
  readonly localBlocks: LocalBlocks | undefined;
  readonly metadata: MetadataPeers;
  readonly mutations: Mutations;
  readonly standing: NodeStanding;
  readonly members: MemberMap = new MemberMap();
  readonly readTimes: ReadTimes = new ReadTimes();
  readonly #options: ClientContextOptions;
  #learning: Promise<Cluster> | undefined;
  #learnedMs: number;

  constructor(components: ClientContextComponents, options: ClientContextOptions) {
    this.network = components.network;
    this.clock = components.clock;
    this.random = components.random;
    this.logger = components.logger;
    this.host = options.host;
    this.localBlocks = components.localBlocks;
    this.#options = options;
    this.metadata = new MetadataPeers(
      { ...components, answered: (attempts) => this.#refresh(attempts) },
      options.profile.peers,
    );
    this.#learnedMs = components.clock.monotonicMs();
    this.mutations = new Mutations(
      { metadata: this.metadata, random: components.random },
      { owner: components.network.localPeer },
    );
    this.standing = new NodeStanding(components);
    this.#learnInBackground();
  }

  /** The cluster's identity and defaults, which do not change. Asked for once, or until its feature level is this code's. */
  async cluster(): Promise<Cluster> {
    const known = await (this.#learning ?? this.#learn());
    // While metadata nodes are being upgraded the level is about to rise.
    return activeLevel(known) < SUPPORTED_FEATURE_LEVEL ? this.#learn() : known;
  }

  /** Of something new that this client makes; without a mode the kind's default counts. */
  attributes(mode?: number): Attributes {
    const { user: owner, group } = this.#options.owner;
    return { owner, group, mode };
  }

  /** Ends every call in flight with CLIENT_CLOSED. */
  async close(): Promise<void> {
    this.metadata.close();
    // Its failure was seen by whoever asked for it; here only its end matters.
    await this.#learning?.catch(() => {});
  }

  /** Metadata nodes come and go: a client that lives long must not know only those it began with. */
  #refresh(attempts: number): void {
    const periodMs = this.#options.refreshPeriodMs ?? DEFAULT_REFRESH_PERIOD_MS;
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.#learnedMs < (attempts > 1 ? Math.min(REFRESH_AFTER_SILENCE_MS, periodMs) : periodMs))
      return;
    this.#learnedMs = nowMs;
    this.#learnInBackground();
  }

  #learnInBackground(): void {
    this.#learn().catch((error: unknown) =>
      this.logger.debug('client.not-learned', { error: describeError(error) }),
    );
  }

  /** One question tells the defaults and the metadata nodes there are now. A failure is forgotten: the next asks again. */
  #learn(): Promise<Cluster> {
    const learning = this.metadata.ask(MEMBERS, this.members.question()).then((answer) => this.#take(answer));
    this.#learning = learning;
    learning.catch(() => {
      if (this.#learning === learning) this.#learning = undefined;
    });
    return learning;
  }

  async #take(answer: MembersResponse): Promise<Cluster> {
    const { cluster } = answer;
    if (cluster === undefined) throw unexpectedAnswer(MEMBERS.name, 'no cluster');
    this.members.take(answer);
    if (this.metadata.replace(this.members.all())) {
      const profile = { clusterId: cluster.id, clusterName: cluster.name, peers: this.metadata.known };
      try {
        await this.#options.remember(profile);
      } catch (error) {
        // The profile may lie on a read-only disk; the client works on with what it knows.
        this.logger.warn('client.profile-not-saved', { error: describeError(error) });
      }
    }
    return cluster;
  }
}
