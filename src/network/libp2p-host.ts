/** @module The sole home of libp2p: its dials, its streams, its events, as a Transport. */
import type { Connection, Libp2p, PeerId as Libp2pPeerId, PrivateKey } from '@libp2p/interface';
import { assert, describeError, HoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { type AddressBook, parseAddress, peerOf } from './address-book.ts';
import { ClassStreams } from './class-streams.ts';
import type { DirectConnections } from './direct-connections.ts';
import { cannotListen, describeDialFailure, portInUse, unreachable } from './errors.ts';
import type { Identity } from './identity.ts';
import { createHostParts, type HostParts } from './libp2p-parts.ts';
import { INNARDS, type Innards, type Libp2pHostOptions, memberProtocols } from './libp2p-settings.ts';
import type { PeerId, PeerPath, TrafficClass } from './network.ts';
import { PeerReach } from './peer-reach.ts';
import { isSignedBy, signAs } from './peer-signature.ts';
import { guardProtocols } from './protocol-guard.ts';
import { RelayedBytes } from './relayed-bytes.ts';
import type { FrameStream, Transport, TransportListener } from './transport.ts';
import { UnknownConnections } from './unknown-connections.ts';

const FOREVER_MS: number = Number.MAX_SAFE_INTEGER / 2;

export interface Libp2pHostComponents {
  readonly identity: Identity;
  readonly logger: Logger;
}

export class Libp2pHost implements Transport {
  readonly localPeer: PeerId;
  readonly #libp2p: Libp2p;
  readonly #privateKey: PrivateKey;
  readonly #logger: Logger;
  readonly #options: Libp2pHostOptions;
  readonly #book: AddressBook;
  readonly #connected = new Set<PeerId>();
  readonly #direct: DirectConnections;
  readonly #reach: PeerReach;
  readonly #relayedBytes = new RelayedBytes();
  readonly #streams: ClassStreams;
  #listener: TransportListener | undefined;

  private constructor(
    parts: HostParts & { readonly privateKey: PrivateKey },
    logger: Logger,
    options: Libp2pHostOptions,
  ) {
    this.#libp2p = parts.libp2p;
    this.#privateKey = parts.privateKey;
    this.#direct = parts.direct;
    this.#book = parts.book;
    this.#logger = logger;
    this.#options = options;
    this.localPeer = this.#libp2p.peerId.toString();
    this.#reach = new PeerReach(
      {
        ...parts,
        innards: this.service<Innards>(INNARDS),
        logger,
        improved: (peer) => this.#listener?.improved(peer),
        addressesChanged: () => this.#listener?.addressesChanged(),
      },
      {
        relayPeers: options.relayPeers ?? ((): readonly PeerId[] => []),
        // An operator who says what to dial has forwarded a port.
        mapPorts: options.mapPorts === true && (options.announce ?? []).length === 0,
      },
    );
    this.#streams = new ClassStreams(
      {
        direct: parts.direct,
        kindOf: (connection) => this.#reach.kindOf(connection),
        relayedBytes: this.#relayedBytes,
        improved: (peer) => this.#listener?.improved(peer),
        logger,
      },
      { directRetryMs: options.directRetryMs },
    );
  }

  /** A host that does not run yet: Network.start() starts it. */
  static async create(
    { identity, logger }: Libp2pHostComponents,
    options: Libp2pHostOptions,
  ): Promise<Libp2pHost> {
    const parts = await createHostParts(identity, options);
    return new Libp2pHost({ ...parts, privateKey: identity.privateKey }, logger, options);
  }

  service<Service>(name: string): Service {
    const service: unknown = this.#libp2p.services[name];
    assert(service !== undefined, `libp2p service ${name} was given in options.services`);
    return service as Service;
  }

  addresses(): readonly string[] {
    this.#confirmAddresses();
    return this.#reach.addresses();
  }

  get isReachable(): boolean {
    return this.#reach.isReachable;
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

  /** Peers heard of in the local network, whoever they are. */
  neighbours(): readonly PeerId[] {
    return this.#book.heard();
  }

  async dial(address: string, signal: AbortSignal): Promise<PeerId> {
    const target = parseAddress(address);
    if (peerOf(target) === this.localPeer) return this.localPeer;
    try {
      const connection = await this.#reach.dial(target, signal);
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

  paths(): readonly PeerPath[] {
    const peers = new Set([...this.#connected, ...this.#relayedBytes.peers()]);
    return [...peers].map((peer) => {
      const connection = this.#reach.best(peer);
      const path = connection === undefined ? 'relayed' : this.#reach.kindOf(connection);
      return { peer, path, isOpen: connection !== undefined, relayedBytes: this.#relayedBytes.of(peer) };
    });
  }

  sign(bytes: Uint8Array): Uint8Array {
    return signAs(this.#privateKey, bytes);
  }

  verify(peer: PeerId, bytes: Uint8Array, signature: Uint8Array): boolean {
    return isSignedBy(peer, bytes, signature);
  }

  async connect(peer: PeerId, trafficClass: TrafficClass, signal: AbortSignal): Promise<FrameStream> {
    try {
      return await this.#streams.open(await this.#reach.connect(peer, signal), trafficClass, signal);
    } catch (cause) {
      throw unreachable(peer, describeDialFailure(cause), cause);
    }
  }

  async start(listener: TransportListener): Promise<void> {
    this.#watchPeers(listener);
    const { registrar } = this.service<Innards>(INNARDS);
    guardProtocols(registrar, memberProtocols(this.#options), (peer) => listener.admits(peer));
    await this.#reach.serve((peer) => listener.admits(peer));
    await this.#streams.serve(this.#libp2p, listener);
    try {
      await this.#libp2p.start();
    } catch (cause) {
      await this.#libp2p.stop();
      throw describeListenFailure(this.#options.listen, cause);
    }
    this.#confirmAddresses();
    this.#reach.start();
  }

  async stop(): Promise<void> {
    this.#direct.stop();
    await this.#reach.stop();
    await this.#libp2p.stop();
  }

  #watchPeers(listener: TransportListener): void {
    this.#listener = listener;
    const unknown = new UnknownConnections({
      admits: (peer) => listener.admits(peer),
      isConnected: (peer) => this.#connected.has(peer),
      forget: (peer) => this.#forget(peer),
    });
    this.#libp2p.addEventListener('connection:open', ({ detail }: CustomEvent<Connection>) =>
      unknown.opened(detail),
    );
    this.#libp2p.addEventListener('connection:close', ({ detail }: CustomEvent<Connection>) => {
      this.#direct.close(detail);
      unknown.closed(detail);
    });
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

  #forget(peer: Libp2pPeerId): void {
    this.#libp2p.peerStore.delete(peer).catch((error: unknown) => {
      this.#logger.debug('network.not-forgotten', { peer: peer.toString(), cause: describeError(error) });
    });
  }

  /** Libp2p announces a public address only once AutoNAT confirmed it; we take the operator's listen addresses at their word. */
  #confirmAddresses(): void {
    const { addressManager, transportManager } = this.service<Innards>(INNARDS);
    for (const address of transportManager.getAddrs())
      addressManager.confirmObservedAddr(address, { type: 'transport', ttl: FOREVER_MS });
  }
}

function describeListenFailure(listen: readonly string[], cause: unknown): HoldfastError {
  const inUse = /EADDRINUSE.*:(\d+)/.exec(describeError(cause));
  return inUse?.[1] === undefined ? cannotListen(listen, cause) : portInUse(listen, inUse[1], cause);
}
