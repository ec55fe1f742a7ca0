/** @module libp2p's kad-dht as this cluster runs it: a protocol, intervals and records of our own. */
import { type KadDHT, type KadDHTComponents, kadDHT, passthroughMapper } from '@libp2p/kad-dht';
import { stopped } from './errors.ts';
import { decodeChain, type ManifestBook } from './manifest-book.ts';

/** Our own protocol, so that a cluster never mixes with any other network. */
export const KADEMLIA_PROTOCOL = '/holdfast/kad/1';
/**
 * Peers that keep a record, that are asked a question first, and that an answer names (Kademlia §2.1, k). Members stay for months and
 * are watched over; kad-dht's 20 are for strangers, half of whom are gone within the hour, and each costs every question a stream.
 */
export const BUCKET_SIZE = 8;
/** Per connection; kad-dht opens a stream for each question, and its defaults of 32 and 64 run out. */
const MAX_STREAMS = 4096;
/** How often kad-dht publishes this node's provider record anew, and how long others keep one unrenewed. */
const PROVIDE_RENEWAL_MS = 600_000;
const PROVIDER_VALIDITY_MS = 3_600_000;
/** The longest time of a timer: self-lookup.ts does it in kad-dht's place. */
const NEVER_MS: number = 2 ** 31 - 1;
/** kad-dht tells its validators and selectors by the first part of a record's key. */
export const MANIFEST_KEYS = 'holdfast-manifest';

export type KademliaService = KadDHT;

export interface KademliaServiceOptions {
  /** Takes the manifests that come as records; undefined before the process is put together. */
  readonly manifests?: () => ManifestBook | undefined;
  /** Nodes answer questions and keep records; who comes and goes, such as a client, only asks. */
  readonly serverMode: boolean;
}

/** What we use of kad-dht's routing table, which its interface type leaves out. */
interface RoutingTable {
  closestPeers(kadId: Uint8Array, options: { readonly count: number }): KnownPeer[];
  remove(peer: KnownPeer): Promise<void>;
  addEventListener(type: 'peer:add', listener: (event: { readonly detail: KnownPeer }) => void): void;
}

export interface KnownPeer {
  /** Its peer id. */
  toString(): string;
}

/** The libp2p service factory. identify and ping must be among the host's services. */
export function kademliaService(
  options: KademliaServiceOptions,
): (components: KadDHTComponents) => KademliaService {
  return kadDHT({
    protocol: KADEMLIA_PROTOCOL,
    clientMode: !options.serverMode,
    // The default drops private addresses, and with them every peer of a local network.
    peerInfoMapper: passthroughMapper,
    allowQueryWithZeroPeers: true,
    initialQuerySelfInterval: NEVER_MS,
    querySelfInterval: NEVER_MS,
    kBucketSize: BUCKET_SIZE,
    ...manifestRecords(options.manifests ?? ((): undefined => undefined)),
    maxInboundStreams: MAX_STREAMS,
    maxOutboundStreams: MAX_STREAMS,
    reprovide: {
      validity: PROVIDER_VALIDITY_MS,
      threshold: PROVIDER_VALIDITY_MS - PROVIDE_RENEWAL_MS,
      interval: PROVIDE_RENEWAL_MS,
    },
  });
}

export function routingTableOf(service: KademliaService): RoutingTable {
  return (service as KademliaService & { readonly routingTable: RoutingTable }).routingTable;
}

/** kad-dht stores whatever its validator lets pass, over what it has: what is older than the book is refused, as a replay. */
function manifestRecords(
  book: () => ManifestBook | undefined,
): Pick<NonNullable<Parameters<typeof kadDHT>[0]>, 'validators' | 'selectors'> {
  return {
    validators: {
      async [MANIFEST_KEYS](_key, value) {
        const taker = book();
        if (taker === undefined) throw stopped('take a cluster manifest');
        taker.take(decodeChain(value));
      },
    },
    selectors: {
      [MANIFEST_KEYS](_key, records) {
        const ranks = records.map((record) => book()?.rank(decodeChain(record)) ?? -1);
        return ranks.indexOf(Math.max(...ranks));
      },
    },
  };
}
