/**
 * @module The transport of a client. Requests to a peer that gave it a ticket go over TLS at once; for all else, and for whoever
 * stays longer than a moment, the whole host is loaded and started, which knows relays and holes and notices a peer that is gone.
 */
import type { Clock, Timer } from '../common/clock.ts';
import { assert, describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { dialTls } from './direct-tls.ts';
import { disconnected } from './errors.ts';
import { FramedStream } from './framed-stream.ts';
import type { PeerId, PeerPath, TrafficClass } from './network.ts';
import type { SocketAddress } from './socket-address.ts';
import type { SessionTicket } from './session-ticket.ts';
import { SocketBytes } from './socket-bytes.ts';
import type { FrameStream, Transport, TransportListener } from './transport.ts';

/** A ticket and where it is taken. */
export interface HeldTicket extends SessionTicket {
  readonly address: SocketAddress;
}

/** Tickets that this peer was given; those that have run out are not there. */
export interface TicketShelf {
  get(peer: PeerId): HeldTicket | undefined;
  /** It was not taken. */
  remove(peer: PeerId): void;
}

export interface TicketTransportComponents {
  readonly tickets: TicketShelf;
  /** Makes the host; it is started here. */
  readonly openHost: () => Promise<Transport>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Three round trips to the other side of the world. */
const RESUME_TIMEOUT_MS = 1_000;
/** A client that lives longer than this watches over its peers, as only the host does; in milliseconds. */
export const ALONE_MS = 2_000;
/** Metadata nodes, and members that a command is about. */
const MAX_LEARNED = 4_096;

export class TicketTransport implements Transport {
  readonly localPeer: PeerId;
  readonly #components: TicketTransportComponents;
  readonly #learned: (readonly [PeerId, readonly string[]])[] = [];
  readonly #resumed = new Map<PeerId, FrameStream>();
  #listener: TransportListener | undefined;
  #opening: Promise<Transport> | undefined;
  #host: Transport | undefined;
  #timer: Timer | undefined;

  constructor(components: TicketTransportComponents, options: { readonly localPeer: PeerId }) {
    this.#components = components;
    this.localPeer = options.localPeer;
  }

  addresses(): readonly string[] {
    return this.#host?.addresses() ?? [];
  }

  /** What is learned before the host runs is told to it then; the oldest is forgotten beyond the limit. */
  learn(peer: PeerId, addresses: readonly string[]): void {
    if (this.#host !== undefined) return this.#host.learn(peer, addresses);
    this.#learned.push([peer, addresses]);
    if (this.#learned.length > MAX_LEARNED) this.#learned.shift();
  }

  async dial(address: string, signal: AbortSignal): Promise<PeerId> {
    return (await this.#open()).dial(address, signal);
  }

  /** Not of a peer whose ticket is in use: what is learned of its addresses is still wanted. */
  isConnected(peer: PeerId): boolean {
    return this.#host?.isConnected(peer) ?? false;
  }

  connectedPeers(): readonly PeerId[] {
    return this.#host?.connectedPeers() ?? [];
  }

  paths(): readonly PeerPath[] {
    return this.#host?.paths() ?? [];
  }

  sign(bytes: Uint8Array): Uint8Array {
    assert(this.#host !== undefined, 'a client signs nothing before it has dialled somebody');
    return this.#host.sign(bytes);
  }

  /** Nothing is believed before there is a host to check it: who searches for metadata nodes has dialled by then. */
  verify(peer: PeerId, bytes: Uint8Array, signature: Uint8Array): boolean {
    return this.#host?.verify(peer, bytes, signature) ?? false;
  }

  async connect(peer: PeerId, trafficClass: TrafficClass, signal: AbortSignal): Promise<FrameStream> {
    const mayResume = trafficClass === 'control' && this.#opening === undefined;
    const resumed = mayResume ? await this.#resume(peer, signal) : undefined;
    return resumed ?? (await this.#connectByHost(peer, trafficClass, signal));
  }

  async start(listener: TransportListener): Promise<void> {
    this.#listener = listener;
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    for (const [peer, stream] of this.#resumed)
      stream.abort(disconnected(peer, 'stop: this client is closing'));
    this.#resumed.clear();
    await (await this.#opening?.catch(() => undefined))?.stop();
  }

  /** Undefined when there is no ticket, or it is not taken. */
  async #resume(peer: PeerId, signal: AbortSignal): Promise<FrameStream | undefined> {
    const { tickets, clock, logger } = this.#components;
    const ticket = tickets.get(peer);
    if (ticket === undefined) return undefined;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(RESUME_TIMEOUT_MS)]);
    try {
      const socket = await dialTls(ticket.address, ticket, limited);
      const stream = new FramedStream(new SocketBytes(socket, peer), 'resumed');
      this.#resumed.set(peer, stream);
      this.#timer ??= clock.after(ALONE_MS, () => this.#openInBackground());
      return stream;
    } catch (error) {
      signal.throwIfAborted();
      logger.debug('network.ticket-not-taken', { peer, cause: describeError(error) });
      tickets.remove(peer);
      return undefined;
    }
  }

  async #connectByHost(peer: PeerId, trafficClass: TrafficClass, signal: AbortSignal): Promise<FrameStream> {
    const host = await this.#open();
    const resumed = this.#resumed.get(peer);
    this.#resumed.delete(peer);
    try {
      return await host.connect(peer, trafficClass, signal);
    } catch (error) {
      // Whoever cannot be reached any more has perhaps gone without a word: nobody shall wait for it there either.
      resumed?.abort(disconnected(peer, 'a connection over which it was silent'));
      throw error;
    }
  }

  #open(): Promise<Transport> {
    this.#opening ??= this.#start();
    return this.#opening;
  }

  #openInBackground(): void {
    const { logger } = this.#components;
    this.#open().catch((error) => logger.warn('network.no-host', { cause: describeError(error) }));
  }

  /** What goes on with a ticket until now moves over to the host. */
  async #start(): Promise<Transport> {
    const listener = this.#listener;
    assert(listener !== undefined, 'a transport is started before it is used');
    const host = await this.#components.openHost();
    await host.start(listener);
    for (const [peer, addresses] of this.#learned.splice(0)) host.learn(peer, addresses);
    this.#host = host;
    for (const peer of this.#resumed.keys()) listener.improved(peer);
    return host;
  }
}
