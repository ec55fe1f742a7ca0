/**
 * @module Connections of their own, one per traffic class: TLS on a plain socket, at a third of the cost of a stream inside libp2p
 * (no muxer, no frames of 64 KiB, the cipher outside JavaScript). Who is who was proved before, by Noise: the peers agree on the key
 * over their libp2p connection, and whoever dialled that one dials this one, to the address that is known to work.
 */
import type { Socket } from 'node:net';
import type { Connection } from '@libp2p/interface';
import type { ByteStream } from './byte-stream.ts';
import { brokenFrame, disconnected, overloaded, unreachable } from './errors.ts';
import {
  acceptTls,
  createInvitation,
  decodeInvitation,
  dialTls,
  encodeInvitation,
  type Invitation,
  type SocketAddress,
} from './direct-tls.ts';
import { FrameKind } from './frame.ts';
import type { PeerId, TrafficClass } from './network.ts';
import { socketAddressOf } from './relay-address.ts';
import { SocketBytes } from './socket-bytes.ts';
import type { FrameStream } from './transport.ts';

/** Also bounds how long a peer that cannot be reached directly holds up the use of libp2p instead. */
const SET_UP_TIMEOUT_MS = 2_000;
const MAX_INVITATIONS = 1024;
/** Sockets that have not yet proved anything. */
const MAX_HANDSHAKES = 64;
const NO_BYTES = new Uint8Array(0);

/** Bytes to and from `peer`, opened by it. */
export type DirectListener = (peer: PeerId, trafficClass: TrafficClass, bytes: ByteStream) => void;

/** What may have a connection of its own, in the order of their numbers on the wire. */
export const DIRECT_CLASSES: readonly TrafficClass[] = ['raft', 'control', 'bulk'];

interface Guest {
  readonly key: Uint8Array;
  readonly welcome: (socket: Socket) => void;
}

/**
 * One exchange on a libp2p stream of its own. The opener sends a request, with the number of the traffic class as its argument:
 * empty, "invite me", or an invitation, "dial me". The answer is a response: the invitation, or empty, "I did".
 */
export class DirectConnections {
  #listener: DirectListener = (peer, _trafficClass, bytes) =>
    bytes.abort(unreachable(peer, 'this node does not run yet'));
  readonly #guests = new Map<string, Guest>();
  /** By the libp2p connection on which their key was agreed. */
  readonly #sockets = new Map<string, Set<Socket>>();
  #handshakes = 0;
  #isListening = false;

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
    const limited = AbortSignal.any([signal, AbortSignal.timeout(SET_UP_TIMEOUT_MS)]);
    // Whatever waits for the stream ends with it.
    const endExchange = (): void => stream.abort(disconnected(peer, 'the set-up of a direct connection'));
    limited.addEventListener('abort', endExchange, { once: true });
    try {
      const ask = askOn(stream, trafficClass);
      const socket =
        connection.direction === 'outbound'
          ? await dialTls(addressOf(connection), decodeInvitation(await ask(NO_BYTES)), limited)
          : await this.#openReversed(peer, ask, limited);
      return this.#keep(connection, socket);
    } finally {
      limited.removeEventListener('abort', endExchange);
      endExchange();
    }
  }

  /** Answers a peer that opens one; it has to be a member. */
  serve(connection: Connection, stream: FrameStream): void {
    stream.listen({
      frame: (kind, _id, argument, body) => {
        const trafficClass = DIRECT_CLASSES[argument];
        if (kind !== FrameKind.request || trafficClass === undefined)
          stream.abort(brokenFrame(`kind ${kind}, argument ${argument} in place of a request for a class`));
        else if (body.byteLength === 0) this.#invite(connection, trafficClass, stream);
        else void this.#dialBack(connection, trafficClass, stream, body);
      },
      closed: () => undefined,
    });
  }

  /** A socket that came in begins with TLS: it is let in when it was invited. */
  async take(socket: Socket): Promise<void> {
    if (this.#handshakes >= MAX_HANDSHAKES) return void socket.destroy();
    this.#handshakes += 1;
    let guest: Guest | undefined;
    const keyOf = (id: string): Uint8Array | undefined => {
      guest = this.#guests.get(id);
      this.#guests.delete(id);
      return guest?.key;
    };
    try {
      const secured = await acceptTls(socket, keyOf, AbortSignal.timeout(SET_UP_TIMEOUT_MS));
      if (guest === undefined) secured.destroy();
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
  }

  /** The peer dialled us, so it can do that again; perhaps we cannot dial it. */
  async #openReversed(peer: PeerId, ask: Asking, signal: AbortSignal): Promise<Socket> {
    const arrival = Promise.withResolvers<Socket>();
    const invitation = this.#admit(peer, arrival.resolve);
    const onAbort = (): void => {
      this.#guests.delete(invitation.id);
      arrival.reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const [socket] = await Promise.all([arrival.promise, ask(encodeInvitation(invitation))]);
      return socket;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#guests.delete(invitation.id);
    }
  }

  #invite(connection: Connection, trafficClass: TrafficClass, stream: FrameStream): void {
    const peer = connection.remotePeer.toString();
    try {
      const welcome = (socket: Socket): void =>
        this.#listener(peer, trafficClass, this.#keep(connection, socket));
      const invitation = this.#admit(peer, welcome);
      AbortSignal.timeout(SET_UP_TIMEOUT_MS).addEventListener('abort', () =>
        this.#guests.delete(invitation.id),
      );
      stream.send(FrameKind.response, 0, 0, NO_BYTES, encodeInvitation(invitation));
    } catch (error) {
      stream.abort(error as Error);
    }
  }

  async #dialBack(
    connection: Connection,
    trafficClass: TrafficClass,
    stream: FrameStream,
    body: Uint8Array,
  ): Promise<void> {
    const peer = connection.remotePeer.toString();
    try {
      const invitation = decodeInvitation(body);
      const signal = AbortSignal.timeout(SET_UP_TIMEOUT_MS);
      const socket = await dialTls(addressOf(connection), invitation, signal);
      this.#listener(peer, trafficClass, this.#keep(connection, socket));
      stream.send(FrameKind.response, 0, 0, NO_BYTES, NO_BYTES);
    } catch (error) {
      stream.abort(error as Error);
    }
  }

  /** NETWORK_UNREACHABLE, NETWORK_OVERLOADED. */
  #admit(peer: PeerId, welcome: (socket: Socket) => void): Invitation {
    if (!this.#isListening) throw unreachable(peer, 'this node takes no connections');
    if (this.#guests.size >= MAX_INVITATIONS) throw overloaded(peer, 'list of invitations');
    const invitation = createInvitation();
    this.#guests.set(invitation.id, { key: invitation.key, welcome });
    return invitation;
  }

  #keep({ id, remotePeer, status }: Connection, socket: Socket): ByteStream {
    const peer = remotePeer.toString();
    const sockets = this.#sockets.get(id) ?? new Set();
    this.#sockets.set(id, sockets.add(socket));
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) this.#sockets.delete(id);
    });
    if (status !== 'open') socket.destroy(disconnected(peer, 'the end of the connection'));
    return new SocketBytes(socket, peer);
  }
}

type Asking = (request: Uint8Array) => Promise<Uint8Array>;

function askOn(stream: FrameStream, trafficClass: TrafficClass): Asking {
  return (request) =>
    new Promise((resolve, reject) => {
      stream.listen({
        frame: (kind, _id, _argument, body) =>
          kind === FrameKind.response
            ? resolve(body)
            : reject(brokenFrame(`kind ${kind} in place of an answer`)),
        closed: reject,
      });
      stream.send(FrameKind.request, 0, DIRECT_CLASSES.indexOf(trafficClass), NO_BYTES, request);
    });
}

/** NETWORK_UNREACHABLE when the connection goes over a relay, or not over TCP. */
function addressOf({ remoteAddr, remotePeer }: Connection): SocketAddress {
  const address = socketAddressOf(remoteAddr);
  if (address === undefined)
    throw unreachable(remotePeer.toString(), `${remoteAddr.toString()} is no address of a plain socket`);
  return address;
}
