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
import {
  CONTROL,
  DIRECT_KINDS,
  dialDirect,
  type DirectKind,
  directKindOf,
  SET_UP_TIMEOUT_MS,
} from './direct-kind.ts';
import { brokenFrame, disconnected, overloaded, unreachable } from './errors.ts';
import { FrameKind } from './frame.ts';
import { GuestList } from './guest-list.ts';
import { decodeInvitation, encodeInvitation, type Invitation } from './invitation.ts';
import type { PeerId, TrafficClass } from './network.ts';
import { socketAddressOf } from './relay-address.ts';
import type { Secured } from './sealed-socket.ts';
import { decodeTicket, encodeTicket, type SessionTicket } from './session-ticket.ts';
import type { SocketAddress } from './socket-address.ts';
import type { FrameStream } from './transport.ts';

/** Arguments of responses: what was asked for, and a ticket beside it, which peers of an earlier release neither send nor see. */
const ANSWER = 0;
const TICKET = 1;
const NO_BYTES = new Uint8Array(0);
/** A frame of an exchange: invitations and tickets are far smaller. */
const MAX_EXCHANGE_BYTES = 1_024;
/** Per libp2p connection: one for each class is used, and a few more may overlap while old ones end. */
const MAX_SOCKETS = 32;

/** Bytes to and from `peer`, opened by it. */
export type DirectListener = (peer: PeerId, trafficClass: TrafficClass, bytes: ByteStream) => void;

export interface DirectConnectionsOptions {
  /** Called with each ticket that a peer gives, and where it is taken. */
  readonly ticketed?: ((peer: PeerId, ticket: SessionTicket, address: SocketAddress) => void) | undefined;
}

/**
 * One exchange on a libp2p stream of its own. The opener sends a request, with the number of the kind of connection as its argument:
 * empty, "invite me", or an invitation, "dial me". The answer is a response: the invitation, or empty, "I did".
 */
export class DirectConnections {
  #listener: DirectListener = (peer, _trafficClass, bytes) =>
    bytes.abort(unreachable(peer, 'this node does not run yet'));
  /** By the libp2p connection on which their key was agreed. */
  readonly #sockets = new Map<string, Set<Socket>>();
  readonly #guests = new GuestList((peer, bytes) => this.#listener(peer, CONTROL.trafficClass, bytes));
  readonly #options: DirectConnectionsOptions;
  readonly #stopping = new AbortController();

  constructor(options: DirectConnectionsOptions = {}) {
    this.#options = options;
  }

  onOpened(listener: DirectListener): void {
    this.#listener = listener;
  }

  /** Aborted by stop(). */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** From now on peers can be invited. */
  listening(): void {
    this.#guests.open();
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
    stream.limitBody(MAX_EXCHANGE_BYTES);
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
        ? await dialDirect(kind, addressOf(connection), decodeInvitation(await ask(NO_BYTES)), limited)
        : await this.#openReversed(kind, peer, ask, limited);
      return this.#keep(connection, secured);
    } finally {
      limited.removeEventListener('abort', endExchange);
      endExchange();
    }
  }

  /** Answers a peer that opens one; it has to be a member. */
  serve(connection: Connection, stream: FrameStream): void {
    let invitation: Invitation | undefined;
    let isAsked = false;
    stream.limitBody(MAX_EXCHANGE_BYTES);
    stream.listen({
      frame: (kind, _id, argument, body) => {
        const wanted = DIRECT_KINDS[argument];
        if (kind !== FrameKind.request || wanted === undefined || isAsked)
          return stream.abort(
            brokenFrame(`kind ${kind}, argument ${argument} in place of one request for a class`),
          );
        isAsked = true;
        if ((this.#sockets.get(connection.id)?.size ?? 0) >= MAX_SOCKETS)
          stream.abort(overloaded(connection.remotePeer.toString(), 'set of direct connections'));
        else if (body.byteLength === 0) invitation = this.#invite(connection, wanted, stream);
        else void this.#dialBack(connection, wanted, stream, body);
      },
      // Whoever asked is inside by now, or has given up.
      closed: () => invitation && this.#guests.withdraw(invitation),
    });
  }

  /** A socket that came in begins with byte `first`, of TLS or of sealed records. */
  take(socket: Socket, first: number): Promise<void> {
    return this.#guests.take(socket, first);
  }

  /** The libp2p connection is gone, and with it whoever watched over the life of the other end. */
  close({ id, remotePeer }: Pick<Connection, 'id' | 'remotePeer'>): void {
    const cause = disconnected(remotePeer.toString(), 'the end of the connection');
    for (const socket of this.#sockets.get(id) ?? []) socket.destroy(cause);
  }

  stop(): void {
    this.#stopping.abort();
    this.#guests.close();
    for (const sockets of this.#sockets.values()) for (const socket of sockets) socket.destroy();
  }

  /** The peer dialled us, so it can do that again; perhaps we cannot dial it. */
  async #openReversed(kind: DirectKind, peer: PeerId, ask: Asking, signal: AbortSignal): Promise<Secured> {
    const arrival = Promise.withResolvers<Secured>();
    const invitation = this.#guests.invite(kind, peer, arrival.resolve);
    const onAbort = (): void => {
      this.#guests.withdraw(invitation);
      arrival.reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const [secured] = await Promise.all([arrival.promise, ask(encodeInvitation(invitation))]);
      return secured;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#guests.withdraw(invitation);
    }
  }

  #invite(connection: Connection, kind: DirectKind, stream: FrameStream): Invitation | undefined {
    const peer = connection.remotePeer.toString();
    try {
      const welcome = (secured: Secured): void =>
        this.#listener(peer, kind.trafficClass, this.#keep(connection, secured));
      const invitation = this.#guests.invite(kind, peer, welcome);
      AbortSignal.timeout(SET_UP_TIMEOUT_MS).addEventListener('abort', () =>
        this.#guests.withdraw(invitation),
      );
      stream.send(FrameKind.response, 0, ANSWER, NO_BYTES, encodeInvitation(invitation));
      if (kind.trafficClass === CONTROL.trafficClass)
        stream.send(FrameKind.response, 0, TICKET, NO_BYTES, encodeTicket(this.#guests.ticketFor(peer)));
      return invitation;
    } catch (error) {
      stream.abort(error as Error);
      return undefined;
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
      const secured = await dialDirect(kind, addressOf(connection), invitation, signal);
      this.#listener(peer, kind.trafficClass, this.#keep(connection, secured));
      stream.send(FrameKind.response, 0, ANSWER, NO_BYTES, NO_BYTES);
    } catch (error) {
      stream.abort(error as Error);
    }
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
