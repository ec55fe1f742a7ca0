/**
 * @module Looks for metadata nodes: not at all while all that are listed answer, now and then while one does not, at once and for ever
 * while none does. Whoever is found is only asked for the signed manifest: to register is to take that node's word for who belongs to
 * the cluster.
 */
import type { ManifestBook } from '../../dht/manifest-book.ts';
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Network, PeerId } from '../network/network.ts';
import { clusterEpochOf } from '../../dht/membership-ring.ts';
import { askForManifest, searchManifest } from '../protocol/manifest-exchange.ts';
import type { KnownMetadataNode, MemberDirectory } from './member-directory.ts';

/** The discovery side of dht/kademlia.ts. */
export interface MetadataFinder {
  readonly manifests: ManifestBook;
  /** Asks the DHT for manifests; what is to be believed is in `manifests` afterwards. */
  fetchManifest(clusterId: string, signal?: AbortSignal): Promise<void>;
  /** Hearsay: anybody in the DHT may name anybody. */
  findMetadata(clusterId: string, signal?: AbortSignal): AsyncIterable<KnownMetadataNode>;
  /** The members changed: look again at who owns which shard. */
  refresh(): void;
}

export interface MetadataSearchComponents {
  readonly network: Network;
  readonly kademlia: MetadataFinder;
  readonly members: MemberDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface MetadataSearchOptions {
  readonly clusterId: string;
  /** Nodes that were there at the last start, whatever they do: they may tell where the metadata nodes are now. */
  readonly earlier?: readonly KnownMetadataNode[] | undefined;
  /** Peers heard of in the local network: hearsay, as what the DHT says. */
  readonly nearby?: (() => readonly PeerId[]) | undefined;
  /** No metadata node answers. */
  readonly isAlone: () => boolean;
  /** Every one that is listed answers: who is new is in the lists that they send. */
  readonly isComplete: () => boolean;
  /** Told of each that is believed to be one. */
  readonly onFound: (peer: PeerId) => void;
  /** While none answers: at once, then after pauses that double, for ever. */
  readonly firstPauseMs: number;
}

/** How often the DHT is asked while some answer and others do not: first when one has been silent for so long. */
export const REFRESH_PERIOD_MS = 60_000;
const LONGEST_SEARCH_PAUSE_MS = 30_000;
/** A metadata node may tell of a member before it has signed that: it is asked again then. */
const KEEP_PERIOD_MS = 5_000;
/** Of those heard of in the local network, and of strangers that are connected, asked in one search: the latest of each. */
const MAX_NEARBY = 32;

export class MetadataSearch {
  readonly #components: MetadataSearchComponents;
  readonly #options: MetadataSearchOptions;
  readonly #stopping = new AbortController();
  #searching: Promise<void> | undefined;
  #searchedMs = Number.NEGATIVE_INFINITY;
  #pauseMs: number;
  #keptMs = Number.NEGATIVE_INFINITY;
  /** Strangers that are being asked since they connected. */
  readonly #callers = new Map<PeerId, Promise<void>>();

  constructor(components: MetadataSearchComponents, options: MetadataSearchOptions) {
    this.#components = components;
    this.#options = options;
    this.#pauseMs = options.firstPauseMs;
  }

  /** The next look is a search, whenever the last one was. */
  hurry(): void {
    this.#searchedMs = Number.NEGATIVE_INFINITY;
    this.#pauseMs = this.#options.firstPauseMs;
  }

  /** Searches if it is time to. */
  look(): void {
    const nowMs = this.#components.clock.monotonicMs();
    const isAlone = this.#options.isAlone();
    // Where one answers, the others are given their time.
    if (this.#options.isComplete() || (!isAlone && !Number.isFinite(this.#searchedMs)))
      this.#searchedMs = nowMs;
    const pauseMs = isAlone ? this.#pauseMs : REFRESH_PERIOD_MS;
    if (this.#stopping.signal.aborted || this.#searching !== undefined) return;
    if (nowMs - this.#searchedMs < pauseMs) return;
    if (isAlone && Number.isFinite(this.#searchedMs))
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_SEARCH_PAUSE_MS);
    this.#searchedMs = nowMs;
    this.#searching = this.#search()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => (this.#searching = undefined));
  }

  /** Somebody connected: while no metadata node answers, a stranger may be one that nobody else could tell of. */
  called(peer: PeerId): void {
    if (this.#stopping.signal.aborted || !this.#options.isAlone() || !this.#isStranger(peer)) return;
    if (this.#callers.has(peer) || this.#callers.size >= MAX_NEARBY) return;
    const asking = this.#follow(peer)
      .catch((error: unknown) => this.#failed(error))
      .finally(() => this.#callers.delete(peer));
    this.#callers.set(peer, asking);
  }

  /**
   * Clients, and members that were away, ask datanodes where the metadata nodes are: this one can say so, once it has the manifest that
   * `peer` signed. To be called after each of its heartbeats: it asks nobody while what is kept is what is listed.
   */
  keepManifestOf(peer: PeerId): void {
    const { kademlia, members, clock } = this.#components;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#keptMs < KEEP_PERIOD_MS) return;
    const { epoch = 0, nodes: named = [] } = kademlia.manifests.current ?? {};
    const areNamed = members
      .metadataNodes()
      .every(({ peer: listed, addresses }) =>
        named.some(
          (node) => node.peer === listed && node.addresses.toSorted().join() === addresses.toSorted().join(),
        ),
      );
    // Whom a recovery left behind believes in the new epoch when it sees it signed.
    if (areNamed && clusterEpochOf(epoch) >= members.epoch) return;
    this.#keptMs = nowMs;
    void askForManifest(this.#components, kademlia.manifests, peer, this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#searching, ...this.#callers.values()]);
  }

  /** While nobody answers, every node is asked that was there before, and who called on this one: a newer metadata node may. */
  async #search(): Promise<void> {
    const { kademlia, members, network } = this.#components;
    const { clusterId, earlier = [], nearby = () => [], isAlone } = this.#options;
    const { signal } = this.#stopping;
    for (const { peer, addresses } of earlier) network.learn(peer, addresses);
    const connected = network.connectedPeers().filter((peer) => this.#isStranger(peer));
    const strangers = isAlone() ? connected : [];
    const hearsay = new Set([...nearby().slice(-MAX_NEARBY), ...strangers.slice(-MAX_NEARBY)]);
    await Promise.all([...hearsay].map((peer) => this.#follow(peer)));
    for await (const { peer, addresses } of kademlia.findMetadata(clusterId, signal)) {
      network.learn(peer, addresses);
      await this.#follow(peer);
    }
    await kademlia.fetchManifest(clusterId, signal);
    this.#adoptManifest();
    if (!isAlone()) return;
    // Clients listen nowhere: libp2p would ask the whole DHT for the address of each.
    const nodes = members.members().filter(({ roles }) => roles.some((role) => role !== 'client'));
    const asked = new Set([...nodes, ...earlier].map(({ peer }) => peer));
    if (await searchManifest(this.#components, kademlia.manifests, [...asked], signal)) this.#adoptManifest();
  }

  #failed(error: unknown): void {
    if (!this.#stopping.signal.aborted)
      this.#components.logger.debug('datanode.search-failed', { error: describeError(error) });
  }

  /** None of the members that are known. */
  #isStranger(peer: PeerId): boolean {
    const { network, members } = this.#components;
    return peer !== network.localPeer && members.byPeer(peer) === undefined;
  }

  async #follow(peer: PeerId): Promise<void> {
    const { kademlia } = this.#components;
    if (kademlia.manifests.trusts(peer)) this.#options.onFound(peer);
    else if (await askForManifest(this.#components, kademlia.manifests, peer, this.#stopping.signal))
      this.#adoptManifest();
  }

  #adoptManifest(): void {
    const { kademlia, members, network } = this.#components;
    for (const node of kademlia.manifests.current?.nodes ?? []) {
      if (!kademlia.manifests.trusts(node.peer)) continue;
      network.learn(node.peer, node.addresses);
      members.found(node);
      this.#options.onFound(node.peer);
    }
  }
}
