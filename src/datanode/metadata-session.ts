/** @module Registers with each metadata node, and sends each a heartbeat. */
import type { NodeLoad, Reach } from '../protocol/messages.ts';
import { HEARTBEAT, REGISTER } from '../protocol/methods.ts';
import { reportReach } from '../protocol/reach-report.ts';
import type { Clock, Timer } from '../common/clock.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { call } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import type { BlockIndexer } from './block-indexer.ts';
import type { LoadMeter } from './load-meter.ts';
import type { MemberDirectory } from './member-directory.ts';
import { type MetadataFinder, MetadataSearch, type MetadataSearchOptions } from './metadata-search.ts';
import { askStanding } from './standing.ts';

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

export interface MetadataSessionOptions
  extends Pick<MetadataSearchOptions, 'clusterId' | 'earlier' | 'nearby'> {
  readonly number: number;
  readonly generation: number;
  /** Of the cluster when this datanode joined. */
  readonly epoch: number;
  readonly host: string;
  readonly zone?: string | undefined;
  readonly hostGroup?: string | undefined;
  /** Called at most once, when the cluster goes on without this datanode. */
  readonly onFatal: (error: Error) => void;
}

/** Both of one moment: who is told that we can be reached has been told where. */
interface Place {
  readonly addresses: readonly string[];
  readonly isReachable: boolean;
}

/** Architecture §6; until a metadata node says what the cluster wants. */
export const HEARTBEAT_PERIOD_MS = 3_000;
/** Nobody is made to report more often, in milliseconds. */
const MIN_HEARTBEAT_PERIOD_MS = 100;
const HEARTBEAT_TIMEOUT_MS = 3_000;
/** Metadata nodes that are told within this time are told the same of how others are reached, in milliseconds. */
const REACH_MS = 1_000;
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
  /** Of those, the ones to whom another is to follow at once. */
  readonly #outdated = new Set<PeerId>();
  #timer: Timer | undefined;
  #periodMs = 0;
  #reach: { readonly atMs: number; readonly lines: Reach[] } | undefined;
  readonly #search: MetadataSearch;

  constructor(components: MetadataSessionComponents, options: MetadataSessionOptions) {
    this.#components = components;
    this.#options = options;
    this.#search = new MetadataSearch(components, {
      ...options,
      isAlone: () => this.#registered.size === 0,
      isComplete: () => this.#isComplete(),
      // Those that this node is registered with hear from it anyway.
      onFound: (peer) => {
        if (!this.#registered.has(peer)) this.#beat(peer);
      },
      firstPauseMs: HEARTBEAT_PERIOD_MS,
    });
  }

  start(): void {
    this.#components.network.onPeer({
      connected: (peer) => this.#onConnected(peer),
      disconnected: (peer) => this.#lose(peer),
      addressesChanged: () => {
        // What is on its way may say where this node was.
        for (const peer of this.#beating.keys()) this.#outdated.add(peer);
        this.#beatAll();
      },
    });
    this.#setPeriod(HEARTBEAT_PERIOD_MS);
    for (const { peer } of this.#components.members.candidates()) this.#beat(peer);
    // One of those that it knows will do; a search asks everybody that was ever heard of.
    void Promise.all(this.#beating.values()).then(() => this.#search.look());
  }

  /** Something happened that metadata nodes should hear before the next heartbeat is due. */
  beatNow(): void {
    this.#beatAll();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    await Promise.all([...this.#beating.values(), this.#search.stop()]);
  }

  #setPeriod(periodMs: number): void {
    if (periodMs === this.#periodMs || this.#stopping.signal.aborted) return;
    this.#periodMs = periodMs;
    this.#timer?.cancel();
    this.#timer = this.#components.clock.every(periodMs, () => this.#beatAll());
  }

  /** A metadata node that came back learns at once what is here; one that is not known yet is heard. */
  #onConnected(peer: PeerId): void {
    if (this.#components.members.metadataNodes().some((node) => node.peer === peer)) this.#beat(peer);
    else this.#search.called(peer);
  }

  #beatAll(): void {
    const { members } = this.#components;
    const asked = this.#registered.size > 0 ? members.metadataNodes() : members.candidates();
    for (const { peer } of asked) this.#beat(peer);
    this.#search.look();
  }

  #isComplete(): boolean {
    const listed = this.#components.members.metadataNodes();
    return this.#registered.size > 0 && listed.every(({ peer }) => this.#registered.has(peer));
  }

  #beat(peer: PeerId): void {
    if (this.#stopping.signal.aborted || this.#beating.has(peer)) return;
    const beating = this.#exchange(peer)
      .catch((error: unknown) => this.#failed(peer, error))
      .finally(() => {
        this.#beating.delete(peer);
        if (this.#outdated.delete(peer)) this.#beat(peer);
      });
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
    this.#search.hurry();
    this.#beatAll();
  }

  async #exchange(peer: PeerId): Promise<void> {
    const place = this.#place();
    if (this.#registered.get(peer) !== place.addresses.join()) await this.#register(peer, place);
    const isKnown = await this.#heartbeat(peer, place);
    // It was restarted between two heartbeats, or has dropped this node.
    if (!isKnown) await this.#register(peer, place);
  }

  async #register(peer: PeerId, place: Place): Promise<void> {
    const { network, indexer, logger } = this.#components;
    const { number: node, generation, host, zone, hostGroup } = this.#options;
    const { addresses } = place;
    const load = await this.#load(place);
    const request = { node, generation, host, zone, hostGroup, addresses: [...addresses], load };
    const { boot } = await call(network, peer, REGISTER, request, this.#callOptions());
    this.#registered.set(peer, addresses.join());
    indexer.onAnswer(peer, { boot, differs: false });
    logger.info('datanode.registered', { peer });
  }

  async #heartbeat(peer: PeerId, place: Place): Promise<boolean> {
    const { network, indexer, members, kademlia, watch } = this.#components;
    const { number: node, generation } = this.#options;
    const held = indexer.heldRoot(peer);
    const request = {
      node,
      generation,
      load: await this.#load(place),
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
      // Metadata nodes heard of just now must not wait for the next period.
      for (const listed of members.metadataNodes())
        if (!this.#registered.has(listed.peer)) this.#beat(listed.peer);
    }
    this.#search.keepManifestOf(peer);
    indexer.onAnswer(peer, { boot: answer.boot, differs: answer.indexDiffers === true });
    return answer.known;
  }

  async #load({ isReachable }: Place): Promise<NodeLoad> {
    const report = await this.#components.load.report();
    return { ...report, reach: this.#reachNow(), reachable: isReachable };
  }

  /** A look at every peer that is connected, which are the more the larger the cluster is. */
  #reachNow(): Reach[] {
    const { network, members, clock } = this.#components;
    const nowMs = clock.monotonicMs();
    if (this.#reach === undefined || nowMs - this.#reach.atMs >= REACH_MS) {
      const lines = reportReach('data', network.paths(), (peer) => members.byPeer(peer));
      this.#reach = { atMs: nowMs, lines };
    }
    return this.#reach.lines;
  }

  /** Sorted: the order of addresses says nothing, and shall not look like a change. */
  #place(): Place {
    const { network } = this.#components;
    return { addresses: network.addresses().toSorted(), isReachable: network.isReachable };
  }

  #callOptions(): { readonly signal: AbortSignal; readonly timeoutMs: number } {
    return { signal: this.#stopping.signal, timeoutMs: HEARTBEAT_TIMEOUT_MS };
  }
}
