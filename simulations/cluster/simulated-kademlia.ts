/** @module The private Kademlia as processes of a simulated cluster have it: who was met, late and with failures, and provider records. */
import type { ManifestBook } from '../../dht/manifest-book.ts';
import { type Membership, MembershipRing } from '../../dht/membership-ring.ts';
import type { Clock, Timer } from '../../src/common/clock.ts';
import { describeError } from '../../src/common/errors.ts';
import type { Logger } from '../../src/common/logger.ts';
import type { Random } from '../../src/common/random.ts';
import type { ChangingRing } from '../../src/datanode/block-indexer.ts';
import type { KnownMetadataNode } from '../../src/datanode/member-directory.ts';
import type { MetadataFinder } from '../../src/datanode/metadata-search.ts';
import type { MetadataDiscovery } from '../../src/metadata/discovery-worker.ts';
import { createManifestBook, serveManifests } from '../../src/protocol/manifest-exchange.ts';
import { CLUSTER_ID } from './founding.ts';
import type { Network, PeerId } from '../../src/network/network.ts';

export interface SimulatedKademliaComponents {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** As those of dht/kademlia.ts. */
export interface SimulatedKademliaOptions {
  readonly ownsShards: boolean;
  readonly membership: () => Membership;
  readonly knownMetadata: () => Membership;
}

/** Whom a process has met, and who is said to be a metadata node. */
interface Acquaintances {
  readonly met: readonly PeerId[];
  readonly providers: readonly KnownMetadataNode[];
}

/** As in dht/kademlia.ts. */
const QUERY_SELF_INTERVAL_MS = 10_000;
/** Somebody met is in the routing table after identify and a ping, in milliseconds; longest. */
const LONGEST_LAG_MS = 1_500;
const QUESTION_TIMEOUT_MS = 2_000;
/** Peers asked in one query. */
const QUERY_PEERS = 20;
const ASK = 'kademlia.ask';
const PROVIDE = 'kademlia.provide';

/** Stands in for dht/kademlia.ts: the same ring of members, learned over the simulated network. One per network. */
export class SimulatedKademlia
  extends MembershipRing
  implements MetadataDiscovery, MetadataFinder, ChangingRing
{
  readonly #components: SimulatedKademliaComponents;
  readonly #options: SimulatedKademliaOptions;
  readonly #met = new Set<PeerId>();
  readonly #lookingAt = new Map<PeerId, Timer>();
  readonly #providers = new Map<PeerId, KnownMetadataNode>();
  readonly #stopping = new AbortController();
  #selfQuery: Timer | undefined;
  readonly manifests: ManifestBook;

  constructor(components: SimulatedKademliaComponents, options: SimulatedKademliaOptions) {
    const { network } = components;
    super(options.membership, options.ownsShards ? network.localPeer : undefined);
    this.#components = components;
    this.#options = options;
    const known = options.knownMetadata;
    this.manifests = createManifestBook(components, { cluster: CLUSTER_ID, known });
    serveManifests(network, this.manifests);
    network.onRequest('control', ASK, async () => encode(this.#acquaintances()));
    network.onRequest('control', PROVIDE, async ({ body }) => {
      const provider = JSON.parse(Buffer.from(body).toString()) as KnownMetadataNode;
      this.#providers.set(provider.peer, provider);
      return new Uint8Array(0);
    });
    network.onPeer({ connected: (peer) => this.#lookLater(peer) });
  }

  /** After the network. */
  start(): void {
    this.#selfQuery = this.#components.clock.every(QUERY_SELF_INTERVAL_MS, () => {
      for (const peer of this.#met) this.#lookLater(peer);
    });
  }

  stop(): void {
    this.#stopping.abort();
    this.#selfQuery?.cancel();
    for (const timer of this.#lookingAt.values()) timer.cancel();
  }

  async provide(_clusterId: string, signal?: AbortSignal): Promise<number> {
    const { network } = this.#components;
    const record = { peer: network.localPeer, addresses: [...network.addresses()] };
    this.#providers.set(record.peer, record);
    const asked = [...this.#met].slice(0, QUERY_PEERS);
    const kept = await Promise.allSettled(
      asked.map((peer) => this.#call(peer, PROVIDE, encode(record), signal)),
    );
    return kept.filter(({ status }) => status === 'fulfilled').length;
  }

  /** Manifests go by request alone here: no record of the DHT carries them. */
  async publishManifest(): Promise<number> {
    return this.#met.size;
  }

  async fetchManifest(): Promise<void> {}

  /** What it yields is hearsay, as with the real one. */
  async *findMetadata(_clusterId: string, signal?: AbortSignal): AsyncGenerator<KnownMetadataNode> {
    const yielded = new Set([this.#components.network.localPeer]);
    const asked = new Set<PeerId>();
    const toAsk = [...this.#met, ...this.#options.membership().peers];
    let known: readonly KnownMetadataNode[] = [...this.#providers.values()];
    for (;;) {
      for (const node of known) {
        if (yielded.has(node.peer)) continue;
        yielded.add(node.peer);
        yield node;
      }
      const next = toAsk.find((peer) => !asked.has(peer));
      if (next === undefined || asked.size >= QUERY_PEERS) return;
      asked.add(next);
      const answer = await this.#ask(next, signal);
      signal?.throwIfAborted();
      known = answer?.providers ?? [];
      toAsk.push(...(answer?.met ?? []));
    }
  }

  /** A peer was met, or is to be looked at again: it is in the table while it answers. */
  #lookLater(peer: PeerId): void {
    const { clock, random } = this.#components;
    if (this.#stopping.signal.aborted || this.#lookingAt.has(peer)) return;
    const timer = clock.after(random.int(LONGEST_LAG_MS), () => {
      this.#lookingAt.delete(peer);
      void this.#look(peer);
    });
    this.#lookingAt.set(peer, timer);
  }

  async #look(peer: PeerId): Promise<void> {
    const answer = await this.#ask(peer, undefined);
    if (answer === undefined) this.#met.delete(peer);
    else this.#met.add(peer);
  }

  /** Undefined from somebody who does not answer, or is no node. */
  async #ask(peer: PeerId, signal: AbortSignal | undefined): Promise<Acquaintances | undefined> {
    try {
      const answer = await this.#call(peer, ASK, new Uint8Array(0), signal);
      return JSON.parse(Buffer.from(answer).toString()) as Acquaintances;
    } catch (error) {
      this.#components.logger.debug('kademlia.no-answer', { peer, error: describeError(error) });
      return undefined;
    }
  }

  #call(
    peer: PeerId,
    method: string,
    body: Uint8Array,
    signal: AbortSignal = this.#stopping.signal,
  ): Promise<Uint8Array> {
    const options = { signal, timeoutMs: QUESTION_TIMEOUT_MS };
    return this.#components.network.request(peer, 'control', method, body, options);
  }

  #acquaintances(): Acquaintances {
    return { met: [...this.#met], providers: [...this.#providers.values()] };
  }
}

function encode(value: Acquaintances | KnownMetadataNode): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
