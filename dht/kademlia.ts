/** @module The private Kademlia network (libp2p kad-dht): who the metadata nodes are, and which are closest to a shard. */
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { createHash } from 'node:crypto';
import { startDeadline } from './deadline.ts';
import { describe } from './errors.ts';
import { type KademliaService, type KnownPeer, MANIFEST_KEYS, routingTableOf } from './kademlia-service.ts';
import { encodeChain, type ManifestBook } from './manifest-book.ts';
import { type Membership, MembershipRing } from './membership-ring.ts';
import type { RingHint } from './messages.ts';
import type { Clock, Logger, MetadataRing, PeerId } from './ports.ts';

/** Bounds of one publication and of one discovery. */
const PROVIDE_TIMEOUT_MS = 30_000;
const FIND_METADATA_TIMEOUT_MS = 15_000;
/** The routing table is searched for those who left, no deeper than this. */
const MAX_TABLE_PEERS = 4096;
/** So many that left are kept out of it by name. */
const MAX_DEPARTED = 256;

const RAW_CODEC = 0x55;
const SHA2_256 = 0x12;

export interface KademliaComponents {
  /** The service that kademliaService() made, on a started host. */
  readonly service: KademliaService;
  /** The one that its service was given. */
  readonly manifests: ManifestBook;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface KademliaOptions {
  readonly self: PeerId;
  /** True for a metadata node: it is one of those that shards are spread over. */
  readonly ownsShards: boolean;
  /** The metadata nodes that hold the index: bootstrap peers of epoch 0 at first, the registry's later. */
  readonly membership: () => Membership;
}

/** A metadata node found through the network; addresses are multiaddrs, maybe none. */
export interface FoundMetadata {
  readonly peer: PeerId;
  readonly addresses: readonly string[];
}

export class Kademlia implements MetadataRing {
  readonly #components: KademliaComponents;
  readonly #options: KademliaOptions;
  readonly #table: ReturnType<typeof routingTableOf>;
  readonly #ring: MembershipRing;
  /** Of the ring before its last change. */
  #members: readonly PeerId[];
  readonly #departed = new Set<PeerId>();

  constructor(components: KademliaComponents, options: KademliaOptions) {
    this.#components = components;
    this.#options = options;
    this.#table = routingTableOf(components.service);
    this.#ring = new MembershipRing(options.membership, options.ownsShards ? options.self : undefined);
    this.#members = this.#ring.all();
    this.#ring.onChange(() => this.#evictDeparted());
    this.#table.addEventListener('peer:add', ({ detail }) => this.#maybeEvict(detail));
  }

  get manifests(): ManifestBook {
    return this.#components.manifests;
  }

  get self(): PeerId | undefined {
    return this.#ring.self;
  }

  get epoch(): number {
    return this.#ring.epoch;
  }

  get membersSince(): number {
    return this.#ring.membersSince;
  }

  closest(shard: number, count: number): readonly PeerId[] {
    return this.#ring.closest(shard, count);
  }

  all(): readonly PeerId[] {
    return this.#ring.all();
  }

  learn(hint: RingHint | undefined): void {
    this.#ring.learn(hint);
  }

  /** Calls `listener` after each change of the ring, until the returned function is called. */
  onChange(listener: () => void): () => void {
    return this.#ring.onChange(listener);
  }

  /** Looks again at the membership. Call when it changed. */
  refresh(): void {
    this.#ring.refresh();
  }

  /**
   * Publishes this node as a metadata node of the cluster and returns how many peers keep the record. From then on
   * kad-dht renews it by itself; call again when the first peers are met, as 0 reached nobody.
   */
  async provide(clusterId: string, signal?: AbortSignal): Promise<number> {
    const attempt = 'publish this metadata node';
    const deadline = startDeadline(this.#components.clock, PROVIDE_TIMEOUT_MS, attempt, signal);
    try {
      let kept = 0;
      const events = this.#components.service.provide(clusterCid(clusterId), { signal: deadline.signal });
      for await (const event of events)
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER') kept++;
      return kept;
    } finally {
      deadline.release();
    }
  }

  /** Publishes the manifests of the book as the value of the cluster, and returns how many peers keep it. */
  async publishManifest(clusterId: string, signal?: AbortSignal): Promise<number> {
    const { clock, manifests, service } = this.#components;
    const deadline = startDeadline(clock, PROVIDE_TIMEOUT_MS, 'publish the cluster manifest', signal);
    try {
      let kept = 0;
      const value = encodeChain(manifests.chain());
      const events = service.put(manifestKey(clusterId), value, { signal: deadline.signal });
      for await (const event of events)
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') kept++;
      return kept;
    } finally {
      deadline.release();
    }
  }

  /** Asks for the cluster's manifest. What is found, and is to be believed, is in the book afterwards: the validator took it. */
  async fetchManifest(clusterId: string, signal?: AbortSignal): Promise<void> {
    const { clock, logger, service } = this.#components;
    const deadline = startDeadline(clock, FIND_METADATA_TIMEOUT_MS, 'find the cluster manifest', signal);
    try {
      for await (const event of service.get(manifestKey(clusterId), { signal: deadline.signal }))
        if (event.name === 'VALUE') return;
    } catch (error) {
      signal?.throwIfAborted();
      // Somebody with an older one would not be corrected, or took too long; what others said was taken before.
      logger.debug('dht.manifest-search-ended', { reason: describe(error) });
    } finally {
      deadline.release();
    }
  }

  /**
   * The metadata nodes of the cluster as they are found, each once, ourselves left out. Ends quietly when nobody is left
   * to ask or FIND_METADATA_TIMEOUT_MS are over. What it yields is hearsay: membership is checked by whoever trusts it.
   */
  async *findMetadata(clusterId: string, signal?: AbortSignal): AsyncGenerator<FoundMetadata> {
    const { clock, logger, service } = this.#components;
    const deadline = startDeadline(clock, FIND_METADATA_TIMEOUT_MS, 'find metadata nodes', signal);
    const seen = new Set([this.#options.self]);
    try {
      for await (const event of service.findProviders(clusterCid(clusterId), { signal: deadline.signal })) {
        if (event.name !== 'PROVIDER') continue;
        for (const { id, multiaddrs } of event.providers) {
          const peer = id.toString();
          if (seen.has(peer)) continue;
          seen.add(peer);
          yield { peer, addresses: multiaddrs.map(String) };
        }
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!deadline.signal.aborted) throw error;
      logger.debug('dht.discovery-timeout', { found: seen.size - 1 });
    } finally {
      deadline.release();
    }
  }

  /** Who is no member any more leaves the routing table at once, and not when it fails to answer. */
  #evictDeparted(): void {
    const members = this.#ring.all();
    this.#components.logger.debug('dht.ring-changed', { epoch: this.#ring.epoch, peers: members });
    for (const peer of this.#members) this.#departed.add(peer);
    for (const peer of members) this.#departed.delete(peer);
    this.#members = members;
    for (const peer of [...this.#departed].slice(MAX_DEPARTED)) this.#departed.delete(peer);
    const anywhere = new Uint8Array(32);
    for (const peer of this.#table.closestPeers(anywhere, { count: MAX_TABLE_PEERS })) this.#maybeEvict(peer);
  }

  /** Others, who do not know yet that it left, name it again for a while. */
  #maybeEvict(peer: KnownPeer): void {
    if (!this.#departed.has(peer.toString())) return;
    this.#table.remove(peer).catch((error: unknown) => {
      this.#components.logger.debug('dht.not-evicted', { peer: peer.toString(), reason: describe(error) });
    });
  }
}

/** The content id under which a cluster's metadata nodes publish themselves. */
export function clusterCid(clusterId: string): CID {
  const hash = createHash('sha256').update(`/holdfast/metadata/${clusterId}`).digest();
  return CID.createV1(RAW_CODEC, Digest.create(SHA2_256, hash));
}

function manifestKey(clusterId: string): Uint8Array {
  return Buffer.from(`/${MANIFEST_KEYS}/${clusterId}`, 'utf8');
}
