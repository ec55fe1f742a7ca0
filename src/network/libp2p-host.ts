/** @module The sole home of libp2p: its set-up, its dials, its events, as a Transport. */
import { yamux } from '@chainsafe/libp2p-yamux';
import { identify } from '@libp2p/identify';
import type { Libp2p, PeerId as Libp2pPeerId, ServiceMap } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import type { Multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2pOptions, type ServiceFactoryMap } from 'libp2p';
import { MIB } from '../common/bytes.ts';
import { assert, describeError, HoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { AddressBook, parseAddress, peerOf } from './address-book.ts';
import { cannotListen, portInUse, unreachable } from './errors.ts';
import type { Identity } from './identity.ts';
import { Libp2pStream } from './libp2p-stream.ts';
import type { PeerId, TrafficClass } from './network.ts';
import { noiseEncryption } from './noise-encryption.ts';
import { guardProtocols, type HandlerRegistry } from './protocol-guard.ts';
import type { FrameStream, Transport, TransportListener } from './transport.ts';

const TRAFFIC_CLASSES: readonly TrafficClass[] = ['raft', 'control', 'bulk', 'join'];
/** Per connection and class: one stream is used; a few more may overlap while an old one dies. */
const MAX_STREAMS_PER_CLASS = 8;

/** Libp2p's own limits suit a public network with many strangers; many of our nodes may share one address behind a NAT. */
const CONNECTION_LIMITS = {
  maxConnections: 4096,
  inboundConnectionThreshold: 1000,
  maxIncomingPendingConnections: 1000,
  maxParallelDials: 256,
  maxDialQueueLength: 4096,
  dialTimeout: 5_000,
  addressDialTimeout: 3_000,
} as const;

/**
 * Part of the protocol: both sides count on the initial window. The maximum is libp2p's limit on what it keeps for a paused
 * stream; 4 MiB fill 40 MB/s at 100 ms.
 */
const STREAM_WINDOW = { initialStreamWindowSize: 1 * MIB, maxStreamWindowSize: 4 * MIB } as const;

/** A peer that is silent for this long (power loss, cut cable) is disconnected. */
const PING_INTERVAL_MS = 5_000;
const PING_TIMEOUT_MS = 10_000;
const FOREVER_MS: number = Number.MAX_SAFE_INTEGER / 2;

/** Parts of libp2p that only its services are given; we ask for them as a service of this name. */
const INNARDS = 'holdfastInnards';

interface Innards {
  readonly registrar: HandlerRegistry;
  readonly addressManager: {
    confirmObservedAddr(address: Multiaddr, options: { type: 'transport'; ttl: number }): void;
  };
  readonly transportManager: { getAddrs(): Multiaddr[] };
}

export interface Libp2pHostComponents {
  readonly identity: Identity;
  readonly logger: Logger;
}

export interface Libp2pHostOptions {
  /** Multiaddrs to listen on, e.g. /ip4/0.0.0.0/tcp/4600; none for a client. */
  readonly listen: readonly string[];
  /** Multiaddrs that others shall dial instead of the ones found on the network interfaces. */
  readonly announce?: readonly string[];
  /** Further libp2p services, e.g. { dht: kadDHT(…) }. */
  readonly services?: ServiceFactoryMap;
  /** Protocols of those services that only members may speak; the Authorizer is asked as for `control`. */
  readonly guardedProtocols?: readonly string[];
}

export class Libp2pHost implements Transport {
  readonly localPeer: PeerId;
  readonly #libp2p: Libp2p;
  readonly #logger: Logger;
  readonly #options: Libp2pHostOptions;
  readonly #book = new AddressBook();
  readonly #connected = new Set<PeerId>();

  constructor(components: { libp2p: Libp2p; logger: Logger }, options: Libp2pHostOptions) {
    this.#libp2p = components.libp2p;
    this.#logger = components.logger;
    this.#options = options;
    this.localPeer = this.#libp2p.peerId.toString();
  }

  service<Service>(name: string): Service {
    const service: unknown = this.#libp2p.services[name];
    assert(service !== undefined, `libp2p service ${name} was given in options.services`);
    return service as Service;
  }

  addresses(): readonly string[] {
    return this.#libp2p.getMultiaddrs().map(String);
  }

  learn(peer: PeerId, addresses: readonly string[]): void {
    const parsed = addresses.flatMap((text) => {
      try {
        return [parseAddress(text)];
      } catch (error) {
        this.#logger.warn('network.bad-address', { peer, cause: describeError(error) });
        return [];
      }
    });
    this.#book.add(peer, parsed);
  }

  async dial(address: string, signal: AbortSignal): Promise<PeerId> {
    const target = parseAddress(address);
    if (peerOf(target) === this.localPeer) return this.localPeer;
    try {
      const connection = await this.#libp2p.dial(target, { signal });
      const peer = connection.remotePeer.toString();
      this.#book.add(peer, [target]);
      return peer;
    } catch (cause) {
      throw unreachable(address, describeDialFailure(cause), cause);
    }
  }

  isConnected(peer: PeerId): boolean {
    return this.#connected.has(peer);
  }

  connectedPeers(): readonly PeerId[] {
    return [...this.#connected];
  }

  async connect(peer: PeerId, trafficClass: TrafficClass, signal: AbortSignal): Promise<FrameStream> {
    try {
      const target = peerIdFromString(peer);
      const addresses = this.#book.get(peer);
      if (!this.#connected.has(peer) && addresses.length > 0)
        await this.#libp2p.peerStore.merge(target, { multiaddrs: [...addresses] });
      const options = { signal, runOnLimitedConnection: true };
      return new Libp2pStream(await this.#libp2p.dialProtocol(target, protocolOf(trafficClass), options));
    } catch (cause) {
      throw unreachable(peer, describeDialFailure(cause), cause);
    }
  }

  async start(listener: TransportListener): Promise<void> {
    this.#watchPeers(listener);
    for (const trafficClass of TRAFFIC_CLASSES)
      await this.#libp2p.handle(
        protocolOf(trafficClass),
        (stream, connection) =>
          listener.stream(connection.remotePeer.toString(), trafficClass, new Libp2pStream(stream)),
        {
          maxInboundStreams: MAX_STREAMS_PER_CLASS,
          maxOutboundStreams: MAX_STREAMS_PER_CLASS,
          runOnLimitedConnection: true,
        },
      );
    try {
      await this.#libp2p.start();
    } catch (cause) {
      await this.#libp2p.stop();
      throw describeListenFailure(this.#options.listen, cause);
    }
    this.#confirmAddresses();
    const { registrar } = this.service<Innards>(INNARDS);
    await guardProtocols(registrar, this.#options.guardedProtocols ?? [], (peer) => listener.admits(peer));
  }

  async stop(): Promise<void> {
    await this.#libp2p.stop();
  }

  #watchPeers(listener: TransportListener): void {
    this.#libp2p.addEventListener('peer:connect', ({ detail }: CustomEvent<Libp2pPeerId>) => {
      const peer = detail.toString();
      this.#connected.add(peer);
      listener.connected(peer);
    });
    this.#libp2p.addEventListener('peer:disconnect', ({ detail }: CustomEvent<Libp2pPeerId>) => {
      const peer = detail.toString();
      this.#connected.delete(peer);
      listener.disconnected(peer);
    });
  }

  /** Libp2p announces a public address only once AutoNAT confirmed it; we take the operator's listen addresses at their word. */
  #confirmAddresses(): void {
    const { addressManager, transportManager } = this.service<Innards>(INNARDS);
    for (const address of transportManager.getAddrs())
      addressManager.confirmObservedAddr(address, { type: 'transport', ttl: FOREVER_MS });
  }
}

/** A host that does not run yet: Network.start() starts it. */
export async function createLibp2pHost(
  components: Libp2pHostComponents,
  options: Libp2pHostOptions,
): Promise<Libp2pHost> {
  const settings: Libp2pOptions<ServiceMap> = {
    start: false,
    privateKey: components.identity.privateKey,
    addresses: {
      listen: options.listen.map((address) => parseAddress(address).toString()),
      announce: (options.announce ?? []).map((address) => parseAddress(address).toString()),
    },
    transports: [tcp()],
    connectionEncrypters: [noiseEncryption()],
    streamMuxers: [yamux({ streamOptions: STREAM_WINDOW })],
    connectionManager: CONNECTION_LIMITS,
    connectionMonitor: {
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: { minTimeout: PING_TIMEOUT_MS, maxTimeout: PING_TIMEOUT_MS },
    },
    services: {
      identify: identify(),
      ping: ping(),
      [INNARDS]: ({ registrar, addressManager, transportManager }): Innards => ({
        registrar,
        addressManager,
        transportManager,
      }),
      ...options.services,
    },
  };
  const libp2p = await createLibp2p(settings);
  return new Libp2pHost({ libp2p, logger: components.logger }, options);
}

function protocolOf(trafficClass: TrafficClass): string {
  return `/holdfast/1/${trafficClass}`;
}

function describeDialFailure(cause: unknown): string {
  if (cause instanceof HoldfastError) return String(cause.facts['reason'] ?? cause.message);
  if (cause instanceof AggregateError) return cause.errors.map(describeError).join('; ');
  return describeError(cause);
}

function describeListenFailure(listen: readonly string[], cause: unknown): HoldfastError {
  const inUse = /EADDRINUSE.*:(\d+)/.exec(describeError(cause));
  return inUse?.[1] === undefined ? cannotListen(listen, cause) : portInUse(listen, inUse[1], cause);
}
