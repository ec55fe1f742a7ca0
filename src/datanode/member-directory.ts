/** @module Who belongs to the cluster, as far as this datanode knows: fed by heartbeats, and by asking about strangers. */
import type { Membership } from '../../dht/membership-ring.ts';
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Member } from '../namespace/schema.ts';
import { call } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import { indexMembership, metadataMembership } from '../protocol/index-membership.ts';
import { WHO_IS } from '../protocol/methods.ts';
import { noMetadata } from './errors.ts';

export interface MemberDirectoryComponents {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A peer that is, or is said to be, a metadata node. */
export interface KnownMetadataNode {
  readonly peer: PeerId;
  readonly addresses: readonly string[];
}

/** A stranger is asked about again after this long: it may just be joining. */
const STRANGER_MS = 1_000;
/** A member not yet in our list is taken for one this long; the list comes with a heartbeat. */
const NEWCOMER_MS = 10_000;
const WHO_IS_TIMEOUT_MS = 3_000;
/** Verdicts kept at once; then the oldest goes. */
const MAX_VERDICTS = 1_024;

/** What a list of members is: of which version, and whether it only names those that changed. */
export interface ListedAs {
  readonly version: number;
  readonly epoch: number;
  readonly isChange?: boolean | undefined;
}

interface Verdict {
  readonly isMember: Promise<boolean>;
  untilMs: number;
}

export class MemberDirectory {
  readonly #components: MemberDirectoryComponents;
  readonly #bootstrap: readonly KnownMetadataNode[];
  /** Named by a manifest that is believed. Forgotten when a list comes. */
  readonly #found = new Map<PeerId, KnownMetadataNode>();
  readonly #active = new Map<PeerId, Member>();
  /** Of #active, gathered once for each list: both are asked for all the time. */
  #members: readonly Member[] = [];
  #metadata: readonly Member[] = [];
  readonly #verdicts = new Map<PeerId, Verdict>();
  #version = 0;
  #epoch = 0;

  constructor(components: MemberDirectoryComponents, bootstrap: readonly KnownMetadataNode[]) {
    this.#components = components;
    this.#bootstrap = bootstrap;
    for (const { peer, addresses } of bootstrap) components.network.learn(peer, addresses);
  }

  /** Of the member list held; 0 before the first. */
  get version(): number {
    return this.#version;
  }

  /** Of the cluster, as of the member list held; it rises when a cluster is recovered from the loss of a majority. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Active metadata members; before the first list, those of the configuration. */
  metadataPeers(): readonly PeerId[] {
    return this.#listed().map(({ peer }) => peer);
  }

  /** The metadata nodes that hold the location index; before the first list, those of the configuration. */
  indexMembership(): Membership {
    if (this.#active.size > 0)
      return indexMembership(this.#metadata, { version: this.#version, epoch: this.#epoch });
    return { epoch: 0, peers: this.metadataPeers() };
  }

  /** The metadata nodes, those that are away too; before the first list, those of the configuration. */
  knownMetadata(): Membership {
    if (this.#active.size > 0)
      return metadataMembership(this.#metadata, { version: this.#version, epoch: this.#epoch });
    return { epoch: 0, peers: this.metadataPeers() };
  }

  /** Whom to register with: the members, and before the first list also whoever was found. */
  metadataNodes(): readonly KnownMetadataNode[] {
    return this.#active.size > 0 ? this.#listed() : this.candidates();
  }

  /** Everybody who may be a metadata node, for one that none of the listed answers any more: those listed first. */
  candidates(): readonly KnownMetadataNode[] {
    const nodes = [...this.#bootstrap, ...this.#found.values(), ...this.#listed()];
    return [...new Map(nodes.map((node) => [node.peer, node])).values()].toReversed();
  }

  /** Active members, as last heard; none before the first list. The same array until a member changes. */
  members(): readonly Member[] {
    return this.#members;
  }

  byPeer(peer: PeerId): Member | undefined {
    return this.#active.get(peer);
  }

  /**
   * Takes a list of members, or what changed since the version held, unless it is older; says whether it was taken. A
   * recovered cluster counts its versions from where its survivor stood, which may be lower: a newer epoch goes before
   * any version, and comes with a whole list.
   */
  update(members: readonly Member[], { version, epoch, isChange = false }: ListedAs): boolean {
    const isNewer = epoch > this.#epoch || (epoch === this.#epoch && version > this.#version);
    if (members.length === 0 || !isNewer || (isChange && epoch > this.#epoch)) return false;
    this.#version = version;
    this.#epoch = epoch;
    if (isChange) for (const { peer } of members) this.#active.delete(peer);
    else this.#active.clear();
    for (const member of members) {
      if (member.state === 'left') continue;
      this.#active.set(member.peer, member);
      this.#components.network.learn(member.peer, member.addresses);
    }
    this.#members = [...this.#active.values()];
    this.#metadata = this.#members.filter(({ roles }) => roles.includes('meta'));
    this.#found.clear();
    this.#verdicts.clear();
    return true;
  }

  found(node: KnownMetadataNode): void {
    this.#components.network.learn(node.peer, node.addresses);
    this.#found.set(node.peer, node);
  }

  /** True for an active member; somebody unknown is asked about at a metadata node. */
  isMember(peer: PeerId): boolean | Promise<boolean> {
    if (this.#active.has(peer)) return true;
    if (this.#active.size === 0 && this.#bootstrap.some((node) => node.peer === peer)) return true;
    const known = this.#verdicts.get(peer);
    const nowMs = this.#components.clock.monotonicMs();
    return known !== undefined && nowMs < known.untilMs ? known.isMember : this.#askAbout(peer, nowMs);
  }

  #listed(): readonly KnownMetadataNode[] {
    return this.#active.size === 0 ? this.#bootstrap : this.#metadata;
  }

  #askAbout(peer: PeerId, nowMs: number): Promise<boolean> {
    const verdict = {
      isMember: this.#askInTurn(peer),
      untilMs: nowMs + WHO_IS_TIMEOUT_MS * Math.max(1, this.metadataNodes().length),
    };
    this.#verdicts.delete(peer);
    this.#verdicts.set(peer, verdict);
    const [oldest] = this.#verdicts.keys();
    if (this.#verdicts.size > MAX_VERDICTS && oldest !== undefined) this.#verdicts.delete(oldest);
    verdict.isMember.then(
      (isMember) => {
        verdict.untilMs = this.#components.clock.monotonicMs() + (isMember ? NEWCOMER_MS : STRANGER_MS);
      },
      () => {
        // Whoever asked sees the failure; nobody shall be judged by it later.
        this.#verdicts.delete(peer);
      },
    );
    return verdict.isMember;
  }

  async #askInTurn(peer: PeerId): Promise<boolean> {
    const { network, logger } = this.#components;
    let last: unknown;
    for (const node of this.metadataNodes()) {
      try {
        const options = { timeoutMs: WHO_IS_TIMEOUT_MS };
        const { member } = await call(network, node.peer, WHO_IS, { peer }, options);
        return member !== undefined && member.state !== 'left';
      } catch (error) {
        logger.debug('datanode.who-is-failed', { peer, asked: node.peer, error: describeError(error) });
        last = error;
      }
    }
    throw noMetadata(WHO_IS.name, last);
  }
}
