/** @module How libp2p is set up: its transport, encryption, muxer, services and limits. */
import { identify } from '@libp2p/identify';
import type { ComponentLogger, Connection, ServiceMap, Upgrader } from '@libp2p/interface';
import { ping } from '@libp2p/ping';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Libp2pOptions, ServiceFactoryMap } from 'libp2p';
import { parseAddress } from './address-book.ts';
import type { DirectConnectionsOptions } from './direct-connections.ts';
import type { Identity } from './identity.ts';
import { libp2pLogger } from './libp2p-logger.ts';
import { noiseEncryption } from './noise-encryption.ts';
import type { HandlerRegistry } from './protocol-guard.ts';
import { pulsedMuxer } from './pulsed-muxer.ts';
import { type PunchingDial, punchingDial } from './punching-dial.ts';
import { RELAY_PROTOCOLS, type RelayTransport, relayService } from './relay-transport.ts';
import { type SharedPortHooks, tcpWithSharedPort } from './shared-port.ts';

/** Libp2p's own limits suit a public network with many strangers; many of our nodes may share one address behind a NAT. */
const CONNECTION_LIMITS = {
  maxConnections: 4096,
  inboundConnectionThreshold: 1000,
  maxIncomingPendingConnections: 1000,
  maxParallelDials: 256,
  maxDialQueueLength: 4096,
  dialTimeout: 5_000,
  addressDialTimeout: 3_000,
  // By default each peer that the DHT thinks close is dialled six times in half a minute when its connection breaks, as when it is
  // restarted. Whoever wants a connection here dials by itself, and goes on for as long as it wants it.
  reconnectRetries: 0,
} as const;

/** Per connection. By default it is one: a second ping of the routing table while the first is slow would fail. */
const PING_STREAMS = { maxInboundStreams: 16, maxOutboundStreams: 16 } as const;

/** Parts of libp2p that only its services are given; we ask for them as a service of this name. */
export const INNARDS = 'holdfastInnards';

export interface Innards {
  readonly registrar: HandlerRegistry;
  readonly addressManager: {
    confirmObservedAddr(address: Multiaddr, options: { type: 'transport'; ttl: number }): void;
  };
  readonly transportManager: {
    getAddrs(): Multiaddr[];
    /** Dials one address, whatever connections there are. */
    dial(address: Multiaddr, options: { readonly signal: AbortSignal }): Promise<Connection>;
  };
  readonly punchingDial: PunchingDial;
}

interface InnardComponents extends Omit<Innards, 'punchingDial'> {
  readonly logger: ComponentLogger;
  readonly upgrader: Upgrader;
}

export interface Libp2pHostOptions {
  /** Multiaddrs to listen on, e.g. /ip4/0.0.0.0/tcp/4600; none for a client. */
  readonly listen: readonly string[];
  /** Multiaddrs that others shall dial instead of the ones found on the network interfaces. */
  readonly announce?: readonly string[];
  /** Further libp2p services, e.g. { dht: kadDHT(…) }. */
  readonly services?: ServiceFactoryMap;
  /** Peers that say whether this one can be dialled, and pass on what comes for it where it cannot: the metadata nodes. */
  readonly relayPeers?: () => readonly string[];
  /** Ask the router to let connections in, where it can be asked and one of those peers cannot dial this one. */
  readonly mapPorts?: boolean;
  /** Look for peers of this cluster, by its id, in the local network by multicast, and answer theirs. Not at all when absent. */
  readonly multicast?: string;
  /** Be such a peer for others. */
  readonly isRelay?: boolean;
  /** Called with each ticket that a peer gives, and where it is taken: a client may come back with it (ticket-transport.ts). */
  readonly ticketed?: DirectConnectionsOptions['ticketed'];
  /** After how long a connection of its own is tried again for a class of traffic, in milliseconds; see IndirectClassesOptions. */
  readonly directRetryMs?: number;
  /** Protocols of those services that only members may speak; the Authorizer is asked as for `control`. */
  readonly guardedProtocols?: readonly string[];
}

/** NETWORK_BAD_ADDRESS. */
export function libp2pSettings(
  identity: Identity,
  options: Libp2pHostOptions,
  hooks: SharedPortHooks & {
    readonly relays: RelayTransport;
    readonly discovery: NonNullable<Libp2pOptions['peerDiscovery']>;
  },
): Libp2pOptions<ServiceMap> {
  const ownLogger = libp2pLogger();
  const relay = options.isRelay === true ? { relay: relayService() } : {};
  return {
    start: false,
    ...(ownLogger && { logger: ownLogger }),
    privateKey: identity.privateKey,
    addresses: {
      listen: options.listen.map((address) => parseAddress(address).toString()),
      announce: (options.announce ?? []).map((address) => parseAddress(address).toString()),
    },
    transports: [tcpWithSharedPort(hooks), hooks.relays.factory],
    peerDiscovery: hooks.discovery,
    connectionEncrypters: [noiseEncryption()],
    streamMuxers: [pulsedMuxer()],
    connectionManager: CONNECTION_LIMITS,
    // The muxer has a pulse.
    connectionMonitor: { enabled: false },
    services: {
      // Who listens nowhere learns nothing from it that it would use, and a command would spend a tenth of its time on it.
      identify: identify({ runOnConnectionOpen: options.listen.length > 0 }),
      ping: ping(PING_STREAMS),
      [INNARDS]: ({
        registrar,
        addressManager,
        transportManager,
        logger,
        upgrader,
      }: InnardComponents): Innards => ({
        registrar,
        addressManager,
        transportManager,
        punchingDial: punchingDial({ logger, upgrader }),
      }),
      ...relay,
      ...options.services,
    },
  } as Libp2pOptions<ServiceMap>;
}

/** Protocols that only members may speak. */
export function memberProtocols({ guardedProtocols = [] }: Libp2pHostOptions): readonly string[] {
  return [...RELAY_PROTOCOLS, ...guardedProtocols];
}
