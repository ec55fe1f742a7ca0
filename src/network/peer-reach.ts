/**
 * @module How peers are reached and how they reach us, from one place: the connections to them, the protocols that find better ones
 * (meeting.ts, dial-back.ts), and our places on relays.
 */
import type { Connection, IdentifyResult, Libp2p, Stream } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Logger } from '../common/logger.ts';
import { observedAddress } from './address-probe.ts';
import { attempt } from './attempt.ts';
import { type AddressBook, parseAddress } from './address-book.ts';
import { DialBack } from './dial-back.ts';
import { notAMember, unreachable } from './errors.ts';
import { FramedStream } from './framed-stream.ts';
import { Libp2pBytes } from './libp2p-bytes.ts';
import type { Innards } from './libp2p-settings.ts';
import { Meeting } from './meeting.ts';
import type { PathKind, PeerId } from './network.ts';
import { OwnAddresses } from './own-addresses.ts';
import { arrivalOf } from './peer-arrival.ts';
import { PeerConnections } from './peer-connections.ts';
import { Reachability } from './reachability.ts';
import { findNatPmp } from './nat-pmp.ts';
import { findGateway, PortMapper } from './port-mapper.ts';
import { isRelayed, relayedAddress, socketAddressOf } from './relay-address.ts';
import type { RelayTransport } from './relay-transport.ts';
import { findUpnp } from './upnp.ts';

const MEET_PROTOCOL = '/holdfast/1/meet';
const DIAL_BACK_PROTOCOL = '/holdfast/1/dial-back';
/** Per connection. */
const MAX_STREAMS = 4;

export interface PeerReachComponents {
  readonly libp2p: Libp2p;
  readonly innards: Innards;
  readonly relays: RelayTransport;
  readonly book: AddressBook;
  readonly logger: Logger;
  /** Called when a better path to `peer` is open than before. */
  readonly improved: (peer: PeerId) => void;
  /** Called when addresses() has changed. */
  readonly addressesChanged: () => void;
}

export interface PeerReachOptions {
  /** Metadata nodes: they say whether we can be dialled, and are relays where we cannot. */
  readonly relayPeers: () => readonly PeerId[];
  /** Ask routers to let connections in, where a metadata node cannot dial us. */
  readonly mapPorts: boolean;
}

export class PeerReach {
  readonly #components: PeerReachComponents;
  readonly #options: PeerReachOptions;
  readonly #connections: PeerConnections;
  readonly #meeting: Meeting;
  readonly #dialBack: DialBack;
  readonly #reachability: Reachability;
  readonly #ports: PortMapper;
  readonly #own: OwnAddresses;
  /** Addresses that are, or were, punched to; of a connection or of an attempt. */
  readonly #punched = new Set<string>();
  /** Where each metadata node that is connected sees us. */
  readonly #seenAt = new Map<PeerId, Multiaddr>();

  constructor(components: PeerReachComponents, options: PeerReachOptions) {
    this.#components = components;
    this.#options = options;
    const { libp2p, innards, relays, book, logger } = components;
    const dial = (address: Multiaddr, signal: AbortSignal): Promise<Connection> =>
      attempt(signal, (own) => innards.transportManager.dial(address, { signal: own }));
    this.#connections = new PeerConnections({
      libp2p,
      dial,
      meet: (connection, signal) => this.#meet(connection, signal),
      punched: this.#punched,
      book,
      logger,
    });
    this.#meeting = new Meeting({
      dial,
      punch: async (address, punchOptions) => {
        this.#punched.add(address.toString());
        try {
          return await attempt(punchOptions.signal, (signal) =>
            innards.punchingDial(address, { ...punchOptions, signal }),
          );
        } catch (error) {
          this.#punched.delete(address.toString());
          throw error;
        }
      },
      arrival: (peer, signal) => arrivalOf(libp2p, peer, signal),
      addresses: () => this.#own.addresses(),
      observe: (localPort, signal) => this.#observe(localPort, signal),
      logger,
    });
    this.#dialBack = new DialBack({
      dial,
      hasDialled: (peer) => this.#kindOfBest(peer) === 'direct',
      logger,
    });
    this.#ports = new PortMapper({
      ports: () => this.#own.ports(),
      find: (signal) => findGateway([findNatPmp, findUpnp], signal),
      // Whoever could not dial us is asked again, as our addresses are others now.
      changed: () => this.#reachability.look(),
      logger,
    });
    this.#own = new OwnAddresses({ libp2p, innards, mapped: () => this.#ports.addresses() });
    this.#reachability = new Reachability({
      localPeer: libp2p.peerId.toString(),
      isAnybodyThere: () => options.relayPeers().some((peer) => peer !== libp2p.peerId.toString()),
      relays: () => this.#usableRelays(),
      addresses: () => this.#own.addresses().map(String),
      isNear: (relay) => this.#isNear(relay),
      dialBack: (relay) => this.#askForDialBack(relay),
      hasPlace: (relay) => relays.hasPlace(relay),
      reserve: (relay) => relays.reserve(relay),
      isShut: () => {
        if (options.mapPorts) this.#ports.want();
      },
      changed: () => {
        components.addressesChanged();
        this.#connections.reconsider();
      },
      logger,
    });
  }

  /** Where others can reach us: our own addresses, and over relays where a metadata node cannot dial those. */
  addresses(): readonly string[] {
    const self = this.#components.libp2p.peerId.toString();
    const relayed = this.#reachability.relays().map((relay) => relayedAddress(relay, self));
    return [...this.#own.addresses().map(String), ...relayed];
  }

  /** Whether others find a way to those, as far as that is known by now. */
  get isReachable(): boolean {
    return this.#reachability.isReachable;
  }

  /** The best connection to `peer`, dialled where there is none. Throws whatever is in the way of it. */
  connect(peer: PeerId, signal: AbortSignal): Promise<Connection> {
    return this.#connections.connect(peer, signal);
  }

  /** At this very address, unless there is a connection to the peer that it names. */
  dial(address: Multiaddr, signal: AbortSignal): Promise<Connection> {
    return this.#connections.dial(address, signal);
  }

  best(peer: PeerId): Connection | undefined {
    return this.#connections.best(peer);
  }

  kindOf(connection: Connection): PathKind {
    return this.#connections.kindOf(connection);
  }

  /** Serves members; to be called before libp2p starts. */
  async serve(admits: (peer: PeerId) => Promise<boolean>): Promise<void> {
    const { libp2p } = this.#components;
    const handle = (protocol: string, serve: (peer: PeerId, stream: FramedStream) => void): Promise<void> =>
      libp2p.handle(
        protocol,
        async (stream: Stream, { remotePeer }: Connection) => {
          const peer = remotePeer.toString();
          if (await admits(peer)) serve(peer, framed(stream));
          else stream.abort(notAMember(peer, 'control'));
        },
        { maxInboundStreams: MAX_STREAMS, runOnLimitedConnection: true },
      );
    await handle(MEET_PROTOCOL, (peer, stream) => this.#meeting.serve(peer, stream));
    await handle(DIAL_BACK_PROTOCOL, (peer, stream) => this.#dialBack.serve(peer, stream));
    libp2p.addEventListener('connection:open', ({ detail }: CustomEvent<Connection>) => this.#opened(detail));
    libp2p.addEventListener('connection:close', ({ detail }: CustomEvent<Connection>) =>
      this.#closed(detail),
    );
    libp2p.addEventListener('peer:identify', ({ detail }: CustomEvent<IdentifyResult>) => {
      const peer = detail.peerId.toString();
      if (!this.#options.relayPeers().includes(peer)) return;
      if (detail.observedAddr !== undefined) this.#seenAt.set(peer, detail.observedAddr);
      this.#reachability.look();
    });
  }

  /** Order: libp2p runs. Who listens nowhere cannot be dialled, and needs no place on a relay either. */
  start(): void {
    if (this.#components.innards.transportManager.getAddrs().length > 0) this.#reachability.start();
  }

  async stop(): Promise<void> {
    this.#connections.stop();
    await Promise.all([this.#reachability.stop(), this.#ports.stop()]);
  }

  #opened(connection: Connection): void {
    if (isRelayed(connection.remoteAddr)) return;
    // Not before libp2p has put it among the others.
    queueMicrotask(() => this.#components.improved(connection.remotePeer.toString()));
  }

  #closed({ remotePeer, remoteAddr }: Connection): void {
    this.#punched.delete(remoteAddr.toString());
    const peer = remotePeer.toString();
    if (!this.#options.relayPeers().includes(peer) || this.#kindOfBest(peer) !== undefined) return;
    this.#seenAt.delete(peer);
    // Perhaps our router was restarted, or has another address now.
    this.#reachability.forget(peer);
    this.#connections.reconsider();
  }

  async #meet(connection: Connection, signal: AbortSignal): Promise<Connection> {
    const options = { signal, runOnLimitedConnection: true };
    const stream = await connection.newStream(MEET_PROTOCOL, options);
    return this.#meeting.open(connection.remotePeer.toString(), framed(stream), signal);
  }

  async #askForDialBack(relay: PeerId): Promise<boolean> {
    const connection = this.best(relay);
    if (connection === undefined) throw unreachable(relay, 'it is no longer connected');
    const stream = await connection.newStream(DIAL_BACK_PROTOCOL, { signal: AbortSignal.timeout(3_000) });
    return this.#dialBack.ask(relay, framed(stream), this.#own.addresses());
  }

  /** Metadata nodes with a connection that leads over no relay. */
  #usableRelays(): readonly PeerId[] {
    const self = this.#components.libp2p.peerId.toString();
    return this.#options.relayPeers().filter((peer) => {
      const kind = peer === self ? undefined : this.#kindOfBest(peer);
      return kind === 'direct' || kind === 'reversed';
    });
  }

  #isNear(relay: PeerId): boolean {
    const observed = this.#seenAt.get(relay);
    return observed !== undefined && this.#own.isNear(observed);
  }

  #kindOfBest(peer: PeerId): PathKind | undefined {
    const connection = this.best(peer);
    return connection === undefined ? undefined : this.kindOf(connection);
  }

  async #observe(localPort: number, signal: AbortSignal): Promise<Multiaddr> {
    let last: unknown;
    for (const relay of this.#usableRelays()) {
      const address = this.best(relay)?.remoteAddr;
      const target = address === undefined ? undefined : socketAddressOf(address);
      if (target === undefined || this.#kindOfBest(relay) !== 'direct') continue;
      try {
        const { host, port } = await observedAddress(target, localPort, signal);
        return parseAddress(`/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp/${port}`);
      } catch (error) {
        signal.throwIfAborted();
        last = error;
      }
    }
    throw unreachable('metadata node', 'none is connected that could say how we are seen', last);
  }
}

function framed(stream: Stream): FramedStream {
  return new FramedStream(new Libp2pBytes(stream));
}
