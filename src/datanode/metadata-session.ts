/** @module Finds the metadata nodes, registers with each, and sends each a heartbeat. */
import { HEARTBEAT, REGISTER } from '../protocol/methods.ts';
import { reportReach } from '../protocol/reach-report.ts';
import { askForManifest, searchManifest } from '../protocol/manifest-exchange.ts';
import type { ManifestBook } from '../../dht/manifest-book.ts';
import type { Clock, Timer } from '../common/clock.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { call } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import type { BlockIndexer } from './block-indexer.ts';
import type { LoadMeter } from './load-meter.ts';
import type { KnownMetadataNode, MemberDirectory } from './member-directory.ts';
import { askStanding } from './standing.ts';

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

export interface MetadataSessionComponents {
  readonly network: Network;
  readonly kademlia: MetadataFinder;
  readonly members: MemberDirectory;
  readonly indexer: BlockIndexer;
  readonly load: Pick<LoadMeter, 'report'>;
  /** Whom of its neighbours this datanode does not hear. */
  readonly watch: { silent(): readonly number[] };
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface MetadataSessionOptions {
  readonly number: number;
  readonly generation: number;
  readonly clusterId: string;
  /** Of the cluster when this datanode joined. */
  readonly epoch: number;
  readonly host: string;
  readonly zone?: string | undefined;
  readonly hostGroup?: string | undefined;
  /** Nodes that were there at the last start, whatever they do: they may tell where the metadata nodes are now. */
  readonly earlier?: readonly KnownMetadataNode[] | undefined;
  /** Peers heard of in the local network: hearsay, as what the DHT says. */
  readonly nearby?: (() => readonly PeerId[]) | undefined;
  /** Called at most once, when the cluster goes on without this datanode. */
  readonly onFatal: (error: Error) => void;
}

/** Architecture §6; until a metadata node says what the cluster wants. */
export const HEARTBEAT_PERIOD_MS = 3_000;
/** Nobody is made to report more often, in milliseconds. */
const MIN_HEARTBEAT_PERIOD_MS = 100;
const HEARTBEAT_TIMEOUT_MS = 3_000;
/** How often the DHT is asked for metadata nodes while some are known that answer. */
const REFRESH_PERIOD_MS = 60_000;
/** While none answers: at once, then after pauses that double, for ever. */
const FIRST_SEARCH_PAUSE_MS: number = HEARTBEAT_PERIOD_MS;
const LONGEST_SEARCH_PAUSE_MS = 30_000;
/** What a metadata node says to somebody who is no datanode of the cluster, or not under this number. */
const TURNED_AWAY = ['NETWORK_NOT_A_MEMBER', 'METADATA_NOT_ALLOWED'];

export class MetadataSession {
  readonly #components: MetadataSessionComponents;
  readonly #options: MetadataSessionOptions;
  readonly #stopping = new AbortController();
  /** With the addresses that each was told. */
  readonly #registered = new Map<PeerId, string>();
  /** Heartbeats on their way: one per metadata node at most. */
  readonly #beating = new Map<PeerId, Promise<void>>();
  #timer: Timer | undefined;
  #periodMs = 0;
  #searching: Promise<void> | undefined;
  #searchedMs = Number.NEGATIVE_INFINITY;
  #searchPauseMs = FIRST_SEARCH_PAUSE_MS;

  constructor(components: MetadataSessionComponents, options: MetadataSessionOptions) {
    this.#components = components;
    this.#options = options;
  }

  start(): void {
    this.#components.network.onPeer({
      connected: (peer) => this.#onConnected(peer),
      disconnected: (peer) => this.#lose(peer),
      addressesChanged: () => this.#beatAll(),
    });
    this.#setPeriod(HEARTBEAT_PERIOD_MS);
    this.#beatAll();
  }

  /** Something happened that metadata nodes should hear before the next heartbeat is due. */
  beatNow(): void {
    this.#beatAll();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    await Promise.all([...this.#beating.values(), this.#searching]);
  }

  #setPeriod(periodMs: number): void {
    if (periodMs === this.#periodMs || this.#stopping.signal.aborted) return;
    this.#periodMs = periodMs;
    this.#timer?.cancel();
    this.#timer = this.#components.clock.every(periodMs, () => this.#beatAll());
  }

  /** A metadata node that came back learns at once what is here. */
  #onConnected(peer: PeerId): void {
    if (this.#components.members.metadataNodes().some((node) => node.peer === peer)) this.#beat(peer);
  }

  #beatAll(): void {
    const { members } = this.#components;
    const asked = this.#registered.size > 0 ? members.metadataNodes() : members.candidates();
    for (const { peer } of asked) this.#beat(peer);
    this.#maybeSearch();
  }

  #beat(peer: PeerId): void {
    if (this.#stopping.signal.aborted || this.#beating.has(peer)) return;
    const beating = this.#exchange(peer)
      .catch((error: unknown) => this.#failed(peer, error))
      .finally(() => this.#beating.delete(peer));
    this.#beating.set(peer, beating);
  }

  async #failed(peer: PeerId, error: unknown): Promise<void> {
    this.#lose(peer);
    if (this.#stopping.signal.aborted) return;
    this.#components.logger.debug('datanode.heartbeat-failed', { peer, error: describeError(error) });
    if (!isHoldfastError(error, ...TURNED_AWAY)) return;
    const verdict = await askStanding(this.#components, this.#options, peer, this.#callOptions());
    if (verdict === undefined || this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#timer?.cancel();
    this.#options.onFatal(verdict);
  }

  /** The last one that answered may go right after a heartbeat: whoever came since is looked for at once. */
  #lose(peer: PeerId): void {
    if (!this.#registered.delete(peer) || this.#registered.size > 0) return;
    this.#searchedMs = Number.NEGATIVE_INFINITY;
    this.#searchPauseMs = FIRST_SEARCH_PAUSE_MS;
    this.#beatAll();
  }

  async #exchange(peer: PeerId): Promise<void> {
    if (this.#registered.get(peer) !== this.#addresses().join()) await this.#register(peer);
    const isKnown = await this.#heartbeat(peer);
    // It was restarted between two heartbeats, or has dropped this node.
    if (!isKnown) await this.#register(peer);
  }

  async #register(peer: PeerId): Promise<void> {
    const { network, load, indexer, logger } = this.#components;
    const { number: node, generation, host, zone, hostGroup } = this.#options;
    const addresses = this.#addresses();
    const request = { node, generation, host, zone, hostGroup, addresses, load: await load.report() };
    const { boot } = await call(network, peer, REGISTER, request, this.#callOptions());
    this.#registered.set(peer, addresses.join());
    indexer.onAnswer(peer, { boot, differs: false });
    logger.info('datanode.registered', { peer });
  }

  async #heartbeat(peer: PeerId): Promise<boolean> {
    const { network, load, indexer, members, kademlia, watch } = this.#components;
    const { number: node, generation } = this.#options;
    const report = {
      ...(await load.report()),
      reach: reportReach('data', network.paths(), members.members()),
    };
    const held = indexer.heldRoot(peer);
    const request = {
      node,
      generation,
      load: report,
      indexEpoch: held?.epoch,
      indexSequence: held?.sequence,
      indexRoot: held?.root,
      membersVersion: members.version,
      epoch: members.epoch,
      takesChanges: true,
      silentNeighbours: [...watch.silent()],
    };
    const answer = await call(network, peer, HEARTBEAT, request, this.#callOptions());
    if (answer.periodMs) this.#setPeriod(Math.max(MIN_HEARTBEAT_PERIOD_MS, answer.periodMs));
    const { membersVersion: version, epoch, isChange } = answer;
    if (members.update(answer.members, { version, epoch, isChange })) {
      kademlia.refresh();
      this.#keepManifest(peer);
      // Metadata nodes heard of just now must not wait for the next period.
      for (const listed of members.metadataNodes())
        if (!this.#registered.has(listed.peer)) this.#beat(listed.peer);
    }
    indexer.onAnswer(peer, { boot: answer.boot, differs: answer.indexDiffers === true });
    return answer.known;
  }

  /** Sorted: the order says nothing, and shall not look like a change. */
  #addresses(): string[] {
    return this.#components.network.addresses().toSorted();
  }

  #callOptions(): { readonly signal: AbortSignal; readonly timeoutMs: number } {
    return { signal: this.#stopping.signal, timeoutMs: HEARTBEAT_TIMEOUT_MS };
  }

  #maybeSearch(): void {
    const nowMs = this.#components.clock.monotonicMs();
    const isAlone = this.#registered.size === 0;
    const pauseMs = isAlone ? this.#searchPauseMs : REFRESH_PERIOD_MS;
    if (this.#stopping.signal.aborted || this.#searching !== undefined) return;
    if (nowMs - this.#searchedMs < pauseMs) return;
    if (isAlone && Number.isFinite(this.#searchedMs))
      this.#searchPauseMs = Math.min(this.#searchPauseMs * 2, LONGEST_SEARCH_PAUSE_MS);
    this.#searchedMs = nowMs;
    this.#searching = this.#search()
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted)
          this.#components.logger.debug('datanode.search-failed', { error: describeError(error) });
      })
      .finally(() => (this.#searching = undefined));
  }

  /**
   * Whoever is found is only asked for the signed manifest: to register is to take that node's word for who belongs to the
   * cluster. While nobody answers, every node is asked that was there before.
   */
  async #search(): Promise<void> {
    const { kademlia, members, network } = this.#components;
    const { clusterId, earlier = [], nearby = () => [] } = this.#options;
    const { signal } = this.#stopping;
    for (const { peer, addresses } of earlier) network.learn(peer, addresses);
    for await (const { peer, addresses } of kademlia.findMetadata(clusterId, signal)) {
      network.learn(peer, addresses);
      await this.#follow(peer);
    }
    await Promise.all(nearby().map((peer) => this.#follow(peer)));
    await kademlia.fetchManifest(clusterId, signal);
    this.#adoptManifest();
    if (this.#registered.size > 0) return;
    const asked = new Set([...members.members(), ...earlier].map(({ peer }) => peer));
    if (await searchManifest(this.#components, kademlia.manifests, [...asked], signal)) this.#adoptManifest();
  }

  /** Clients, and members that were away, ask datanodes where the metadata nodes are: this one can say so from now on. */
  #keepManifest(peer: PeerId): void {
    const { kademlia, members } = this.#components;
    const named = kademlia.manifests.current?.nodes ?? [];
    const isKept = members
      .metadataNodes()
      .every(({ peer: listed, addresses }) =>
        named.some(
          (node) => node.peer === listed && node.addresses.toSorted().join() === addresses.toSorted().join(),
        ),
      );
    if (!isKept) void askForManifest(this.#components, kademlia.manifests, peer, this.#stopping.signal);
  }

  async #follow(peer: PeerId): Promise<void> {
    const { kademlia } = this.#components;
    if (kademlia.manifests.trusts(peer)) this.#beat(peer);
    else if (await askForManifest(this.#components, kademlia.manifests, peer, this.#stopping.signal))
      this.#adoptManifest();
  }

  #adoptManifest(): void {
    const { kademlia, members, network } = this.#components;
    for (const node of kademlia.manifests.current?.nodes ?? []) {
      if (!kademlia.manifests.trusts(node.peer)) continue;
      network.learn(node.peer, node.addresses);
      members.found(node);
      if (!this.#registered.has(node.peer)) this.#beat(node.peer);
    }
  }
}
