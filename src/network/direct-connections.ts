/**
 * @module Connections of their own, one per traffic class, beside libp2p: no muxer, and no frames of 64 KiB with their ciphers in
 * JavaScript. Bulk goes as sealed records, all else over TLS, which is cheaper for small messages and dearer for large ones.
 * Who is who was proved before, by Noise: the peers agree on the key over their libp2p connection, and whoever dialled that one
 * dials this one, to the address that is known to work. Whoever asks for a connection for control is also given a ticket
 * (session-ticket.ts), with which it may open one without libp2p later.
 */
import type { Socket } from 'node:net';
import type { Connection } from '@libp2p/interface';
import type { ByteStream } from './byte-stream.ts';
import { brokenFrame, disconnected, overloaded, unreachable } from './errors.ts';
import { acceptTls, dialTls } from './direct-tls.ts';
import { FrameKind } from './frame.ts';
import { createInvitation, decodeInvitation, encodeInvitation, type Invitation } from './invitation.ts';
import type { PeerId, TrafficClass } from './network.ts';
import { socketAddressOf } from './relay-address.ts';
import { acceptSealed, dialSealed, SEALED_FIRST_BYTE, type Secured } from './sealed-socket.ts';
import { decodeTicket, encodeTicket, type SessionTicket, TicketOffice } from './session-ticket.ts';
import type { SocketAddress } from './socket-address.ts';
import { SocketBytes } from './socket-bytes.ts';
import type { FrameStream } from './transport.ts';

/** Also bounds how long a peer that cannot be reached directly holds up the use of libp2p instead. */
const SET_UP_TIMEOUT_MS = 2_000;
const MAX_INVITATIONS = 1024;
/** Sockets that have not yet proved anything. */
const MAX_HANDSHAKES = 64;
/** Connections at once of peers that came with a ticket. */
const MAX_RESUMED = 4096;
/** How long a connection is idle before the kernel asks whether the other end is still there. */
const KEEP_ALIVE_MS = 10_000;
/** Arguments of responses: what was asked for, and a ticket beside it, which peers of an earlier release neither send nor see. */
const ANSWER = 0;
const TICKET = 1;
const NO_BYTES = new Uint8Array(0);

/** Bytes to and from `peer`, opened by it. */
export type DirectListener = (peer: PeerId, trafficClass: TrafficClass, bytes: ByteStream) => void;

/** How a class of traffic is secured. */
interface DirectKind {
  readonly trafficClass: TrafficClass;
  readonly isSealed: boolean;
}

/** What may have a connection of its own, in the order of their numbers on the wire. Peers of an earlier release ask for bulk over TLS. */
const DIRECT_KINDS: readonly DirectKind[] = [
  { trafficClass: 'raft', isSealed: false },
  { trafficClass: 'control', isSealed: false },
  { trafficClass: 'bulk', isSealed: false },
  { trafficClass: 'bulk', isSealed: true },
];

const CONTROL: DirectKind = { trafficClass: 'control', isSealed: false };

/** The number on the wire of how we open a connection for `trafficClass`; undefined when it has none of its own. */
export function directKindOf(trafficClass: TrafficClass): number | undefined {
  const kind = DIRECT_KINDS.findLastIndex((each) => each.trafficClass === trafficClass);
  return kind < 0 ? undefined : kind;
}

export interface DirectConnectionsOptions {
  /** Called with each ticket that a peer gives, and where it is taken. */
  readonly ticketed?: ((peer: PeerId, ticket: SessionTicket, address: SocketAddress) => void) | undefined;
}

interface Guest extends DirectKind {
  readonly key: Uint8Array;
  readonly welcome: (secured: Secured) => void;
}

/**
 * One exchange on a libp2p stream of its own. The opener sends a request, with the number of the kind of connection as its argument:
 * empty, "invite me", or an invitation, "dial me". The answer is a response: the invitation, or empty, "I did".
 */
export class DirectConnections {
  #listener: DirectListener = (peer, _trafficClass, bytes) =>
    bytes.abort(unreachable(peer, 'this node does not run yet'));
  readonly #guests = new Map<string, Guest>();
  /** By the libp2p connection on which their key was agreed. */
  readonly #sockets = new Map<string, Set<Socket>>();
  readonly #resumed = new Set<Socket>();
  readonly #tickets = new TicketOffice();
  readonly #options: DirectConnectionsOptions;
  #handshakes = 0;
  #isListening = false;

  constructor(options: DirectConnectionsOptions = {}) {
    this.#options = options;
  }

  onOpened(listener: DirectListener): void {
    this.#listener = listener;
  }

  /** From now on peers can be invited. */
  listening(): void {
    this.#isListening = true;
  }

  /** Opens one to the peer of `connection`, with `stream` for the exchange. Throws whatever is in the way of it. */
  async open(
    connection: Connection,
    trafficClass: TrafficClass,
    stream: FrameStream,
    signal: AbortSignal,
  ): Promise<ByteStream> {
    const peer = connection.remotePeer.toString();
    const number = directKindOf(trafficClass);
    const kind = DIRECT_KINDS[number ?? -1];
    if (number === undefined || kind === undefined) throw unreachable(peer, `no direct ${trafficClass}`);
    const limited = AbortSignal.any([signal, AbortSignal.timeout(SET_UP_TIMEOUT_MS)]);
    // Whatever waits for the stream ends with it.
    const endExchange = (): void => stream.abort(disconnected(peer, 'the set-up of a direct connection'));
    limited.addEventListener('abort', endExchange, { once: true });
    try {
      const { ticketed } = this.#options;
      const isOutbound = connection.direction === 'outbound';
      const ask = askOn(stream, number, (body) => {
        if (isOutbound) ticketed?.(peer, decodeTicket(body), addressOf(connection));
      });
      const secured = isOutbound
        ? await dial(kind, addressOf(connection), decodeInvitation(await ask(NO_BYTES)), limited)
        : await this.#openReversed(kind, peer, ask, limited);
      return this.#keep(connection, secured);
    } finally {
      limited.removeEventListener('abort', endExchange);
      endExchange();
    }
  }

  /** Answers a peer that opens one; it has to be a member. */
  serve(connection: Connection, stream: FrameStream): void {
    stream.listen({
      frame: (kind, _id, argument, body) => {
        const wanted = DIRECT_KINDS[argument];
        if (kind !== FrameKind.request || wanted === undefined)
          stream.abort(brokenFrame(`kind ${kind}, argument ${argument} in place of a request for a class`));
        else if (body.byteLength === 0) this.#invite(connection, wanted, stream);
        else void this.#dialBack(connection, wanted, stream, body);
      },
      closed: () => undefined,
    });
  }

  /**
   * A socket that came in begins with byte `first`, of TLS or of sealed records: it is let in when it was invited, to just that, or
   * when it has a ticket.
   */
  async take(socket: Socket, first: number): Promise<void> {
    if (this.#handshakes >= MAX_HANDSHAKES) return void socket.destroy();
    this.#handshakes += 1;
    const isSealed = first === SEALED_FIRST_BYTE;
    let guest: Guest | undefined;
    const keyOf = (id: string): Uint8Array | undefined => {
      guest = this.#guests.get(id) ?? this.#returning(id);
      this.#guests.delete(id);
      return guest?.isSealed === isSealed ? guest.key : undefined;
    };
    const signal = AbortSignal.timeout(SET_UP_TIMEOUT_MS);
    try {
      const secured = isSealed
        ? await acceptSealed(socket, keyOf, signal)
        : overTls(await acceptTls(socket, keyOf, signal));
      if (guest === undefined) secured.socket.destroy();
      else guest.welcome(secured);
    } catch {
      // A stranger, or a guest who gave up. The socket is closed; whoever waits for it waits with a limit of his own.
    } finally {
      this.#handshakes -= 1;
    }
  }

  /** The libp2p connection is gone, and with it whoever watched over the life of the other end. */
  close({ id, remotePeer }: Pick<Connection, 'id' | 'remotePeer'>): void {
    const cause = disconnected(remotePeer.toString(), 'the end of the connection');
    for (const socket of this.#sockets.get(id) ?? []) socket.destroy(cause);
  }

  stop(): void {
    this.#isListening = false;
    this.#guests.clear();
    for (const sockets of this.#sockets.values()) for (const socket of sockets) socket.destroy();
    for (const socket of this.#resumed) socket.destroy();
  }

  /** Who comes with a ticket. No libp2p connection watches over this one: the kernel does. */
  #returning(id: string): Guest | undefined {
    const ticket =
      this.#isListening && this.#resumed.size < MAX_RESUMED ? this.#tickets.redeem(id) : undefined;
    if (ticket === undefined) return undefined;
    const { peer, key } = ticket;
    const welcome = ({ socket, bytes }: Secured): void => {
      this.#resumed.add(socket);
      socket.once('close', () => this.#resumed.delete(socket));
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      this.#listener(peer, CONTROL.trafficClass, bytes(peer));
    };
    return { ...CONTROL, key, welcome };
  }

  /** The peer dialled us, so it can do that again; perhaps we cannot dial it. */
  async #openReversed(kind: DirectKind, peer: PeerId, ask: Asking, signal: AbortSignal): Promise<Secured> {
    const arrival = Promise.withResolvers<Secured>();
    const invitation = this.#admit(kind, peer, arrival.resolve);
    const onAbort = (): void => {
      this.#guests.delete(invitation.id);
      arrival.reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const [secured] = await Promise.all([arrival.promise, ask(encodeInvitation(invitation))]);
      return secured;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#guests.delete(invitation.id);
    }
  }

  #invite(connection: Connection, kind: DirectKind, stream: FrameStream): void {
    const peer = connection.remotePeer.toString();
    try {
      const welcome = (secured: Secured): void =>
        this.#listener(peer, kind.trafficClass, this.#keep(connection, secured));
      const invitation = this.#admit(kind, peer, welcome);
      AbortSignal.timeout(SET_UP_TIMEOUT_MS).addEventListener('abort', () =>
        this.#guests.delete(invitation.id),
      );
      stream.send(FrameKind.response, 0, ANSWER, NO_BYTES, encodeInvitation(invitation));
      if (kind.trafficClass === CONTROL.trafficClass)
        stream.send(FrameKind.response, 0, TICKET, NO_BYTES, encodeTicket(this.#tickets.issue(peer)));
    } catch (error) {
      stream.abort(error as Error);
    }
  }

  async #dialBack(
    connection: Connection,
    kind: DirectKind,
    stream: FrameStream,
    body: Uint8Array,
  ): Promise<void> {
    const peer = connection.remotePeer.toString();
    try {
      const invitation = decodeInvitation(body);
      const signal = AbortSignal.timeout(SET_UP_TIMEOUT_MS);
      const secured = await dial(kind, addressOf(connection), invitation, signal);
      this.#listener(peer, kind.trafficClass, this.#keep(connection, secured));
      stream.send(FrameKind.response, 0, ANSWER, NO_BYTES, NO_BYTES);
    } catch (error) {
      stream.abort(error as Error);
    }
  }

  /** NETWORK_UNREACHABLE, NETWORK_OVERLOADED. */
  #admit(kind: DirectKind, peer: PeerId, welcome: (secured: Secured) => void): Invitation {
    if (!this.#isListening) throw unreachable(peer, 'this node takes no connections');
    if (this.#guests.size >= MAX_INVITATIONS) throw overloaded(peer, 'list of invitations');
    const invitation = createInvitation();
    this.#guests.set(invitation.id, { ...kind, key: invitation.key, welcome });
    return invitation;
  }

  #keep({ id, remotePeer, status }: Connection, secured: Secured): ByteStream {
    const peer = remotePeer.toString();
    const { socket } = secured;
    const sockets = this.#sockets.get(id) ?? new Set();
    this.#sockets.set(id, sockets.add(socket));
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) this.#sockets.delete(id);
    });
    if (status !== 'open') socket.destroy(disconnected(peer, 'the end of the connection'));
    return secured.bytes(peer);
  }
}

type Asking = (request: Uint8Array) => Promise<Uint8Array>;

async function dial(
  { isSealed }: DirectKind,
  address: SocketAddress,
  invitation: Invitation,
  signal: AbortSignal,
): Promise<Secured> {
  return isSealed
    ? dialSealed(address, invitation, signal)
    : overTls(await dialTls(address, invitation, signal));
}

function overTls(socket: Socket): Secured {
  return { socket, bytes: (peer) => new SocketBytes(socket, peer) };
}

function askOn(stream: FrameStream, number: number, ticketed: (body: Uint8Array) => void): Asking {
  return (request) =>
    new Promise((resolve, reject) => {
      stream.listen({
        frame: (kind, _id, argument, body) => {
          if (kind !== FrameKind.response) reject(brokenFrame(`kind ${kind} in place of an answer`));
          else if (argument === TICKET) ticketed(body);
          else resolve(body);
        },
        closed: reject,
      });
      stream.send(FrameKind.request, 0, number, NO_BYTES, request);
    });
}

/** NETWORK_UNREACHABLE when the connection goes over a relay, or not over TCP. */
function addressOf({ remoteAddr, remotePeer }: Connection): SocketAddress {
  const address = socketAddressOf(remoteAddr);
  if (address === undefined)
    throw unreachable(remotePeer.toString(), `${remoteAddr.toString()} is no address of a plain socket`);
  return address;
}
