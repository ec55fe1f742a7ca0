/** @module libp2p's kad-dht as this cluster runs it: a protocol, intervals and records of our own. */
import { type KadDHT, type KadDHTComponents, kadDHT, passthroughMapper } from '@libp2p/kad-dht';
import { stopped } from './errors.ts';
import { decodeChain, type ManifestBook } from './manifest-book.ts';

/** Our own protocol, so that a cluster never mixes with any other network. */
export const KADEMLIA_PROTOCOL = '/holdfast/kad/1';
/** Nodes that start together are aware of each other by then: the default is the five minutes to which the interval grows. */
export const QUERY_SELF_INTERVAL_MS = 10_000;
export const MAX_QUERY_SELF_INTERVAL_MS = 300_000;
/** So many that met somebody come before the interval grows. */
export const QUICK_SELF_QUERIES = 6;
export const INITIAL_QUERY_SELF_INTERVAL_MS = 200;
/** Per connection; kad-dht opens a stream for each question, and its defaults of 32 and 64 run out. */
export const MAX_STREAMS = 4096;
/** How often kad-dht publishes this node's provider record anew, and how long others keep one unrenewed. */
export const PROVIDE_RENEWAL_MS = 600_000;
export const PROVIDER_VALIDITY_MS = 3_600_000;
/** kad-dht tells its validators and selectors by the first part of a record's key. */
export const MANIFEST_KEYS = 'holdfast-manifest';

export type KademliaService = KadDHT;

export interface KademliaServiceOptions {
  /** Takes the manifests that come as records; undefined before the process is put together. */
  readonly manifests?: () => ManifestBook | undefined;
  /** Nodes answer questions and keep records; who comes and goes, such as a client, only asks. */
  readonly serverMode: boolean;
  readonly querySelfIntervalMs?: number;
}

/** The libp2p service factory. identify and ping must be among the host's services. */
export function kademliaService(
  options: KademliaServiceOptions,
): (components: KadDHTComponents) => KademliaService {
  const make = kadDHT({
    protocol: KADEMLIA_PROTOCOL,
    clientMode: !options.serverMode,
    // The default drops private addresses, and with them every peer of a local network.
    peerInfoMapper: passthroughMapper,
    allowQueryWithZeroPeers: true,
    initialQuerySelfInterval: INITIAL_QUERY_SELF_INTERVAL_MS,
    querySelfInterval: options.querySelfIntervalMs ?? QUERY_SELF_INTERVAL_MS,
    ...manifestRecords(options.manifests ?? ((): undefined => undefined)),
    maxInboundStreams: MAX_STREAMS,
    maxOutboundStreams: MAX_STREAMS,
    reprovide: {
      validity: PROVIDER_VALIDITY_MS,
      threshold: PROVIDER_VALIDITY_MS - PROVIDE_RENEWAL_MS,
      interval: PROVIDE_RENEWAL_MS,
    },
  });
  return (components) => {
    const service = make(components);
    slowDownSelfQueries(service, components);
    return service;
  };
}

/** What we know of kad-dht's self-query: it reads its interval after each, and then says how many peers it met. */
interface WithSelfQuery {
  readonly querySelf: { interval: number };
}
type SelfQueried = CustomEvent<{ readonly peers: number }>;
const SELF_QUERIED = 'kad-dht:query:self';

/** Whoever has been here for long has met everybody, and each query asks twenty peers. */
function slowDownSelfQueries(service: KademliaService, components: KadDHTComponents): void {
  const { querySelf } = service as KademliaService & WithSelfQuery;
  const events: EventTarget = components.events;
  let count = 0;
  events.addEventListener(SELF_QUERIED, (event) => {
    if ((event as SelfQueried).detail.peers > 0) count++;
    if (count <= QUICK_SELF_QUERIES) return;
    querySelf.interval = Math.min(querySelf.interval * 2, MAX_QUERY_SELF_INTERVAL_MS);
  });
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
