/** @module Whose sockets are let in beside libp2p: those of peers that were invited, to just that, and of those with a ticket. */
import type { Socket } from 'node:net';
import type { ByteStream } from './byte-stream.ts';
import { CONTROL, type DirectKind, overTls, SET_UP_TIMEOUT_MS } from './direct-kind.ts';
import { acceptTls } from './direct-tls.ts';
import { overloaded, unreachable } from './errors.ts';
import { createInvitation, type Invitation } from './invitation.ts';
import type { PeerId } from './network.ts';
import { ResumedSockets } from './resumed-sockets.ts';
import { acceptSealed, SEALED_FIRST_BYTE, type Secured } from './sealed-socket.ts';
import { type SessionTicket, TicketOffice } from './session-ticket.ts';

const MAX_INVITATIONS = 1024;
/** Sockets that have not yet proved anything. */
const MAX_HANDSHAKES = 64;
/** When there are so many, one that takes longer makes way: who sends a byte and then nothing must not keep others out. */
export const HANDSHAKE_GRACE_MS = 500;

interface Guest extends DirectKind {
  readonly key: Uint8Array;
  readonly welcome: (secured: Secured) => void;
}

/** Of a connection for control that `peer` opened with a ticket. */
export type ReturnListener = (peer: PeerId, bytes: ByteStream) => void;

interface Handshake {
  readonly sinceMs: number;
  readonly abortion: AbortController;
}

export class GuestList {
  readonly #returned: ReturnListener;
  readonly #guests = new Map<string, Guest>();
  readonly #resumed = new ResumedSockets();
  readonly #tickets: TicketOffice;
  readonly #nowMs: () => number;
  /** The oldest first. */
  readonly #handshakes = new Set<Handshake>();
  #isOpen = false;

  /** `nowMs`: milliseconds since any moment, never going back. */
  constructor(returned: ReturnListener, nowMs: () => number = () => performance.now()) {
    this.#returned = returned;
    this.#nowMs = nowMs;
    this.#tickets = new TicketOffice(nowMs);
  }

  /** From now on peers can be invited. */
  open(): void {
    this.#isOpen = true;
  }

  /** Until withdraw(), or until it is used, once. NETWORK_UNREACHABLE, NETWORK_OVERLOADED. */
  invite(kind: DirectKind, peer: PeerId, welcome: (secured: Secured) => void): Invitation {
    if (!this.#isOpen) throw unreachable(peer, 'this node takes no connections');
    if (this.#guests.size >= MAX_INVITATIONS) throw overloaded(peer, 'list of invitations');
    const invitation = createInvitation();
    this.#guests.set(invitation.id, { ...kind, key: invitation.key, welcome });
    return invitation;
  }

  withdraw({ id }: Invitation): void {
    this.#guests.delete(id);
  }

  ticketFor(peer: PeerId): SessionTicket {
    return this.#tickets.issue(peer);
  }

  /** A socket that came in begins with byte `first`, of TLS or of sealed records. */
  async take(socket: Socket, first: number): Promise<void> {
    const handshake = this.#isOpen ? this.#beginHandshake() : undefined;
    if (handshake === undefined) return void socket.destroy();
    const isSealed = first === SEALED_FIRST_BYTE;
    let guest: Guest | undefined;
    const keyOf = (id: string): Uint8Array | undefined => {
      guest = this.#guests.get(id) ?? this.#returning(id);
      this.#guests.delete(id);
      return guest?.isSealed === isSealed ? guest.key : undefined;
    };
    const signal = AbortSignal.any([handshake.abortion.signal, AbortSignal.timeout(SET_UP_TIMEOUT_MS)]);
    try {
      const secured = isSealed
        ? await acceptSealed(socket, keyOf, signal)
        : overTls(await acceptTls(socket, keyOf, signal));
      if (guest === undefined) secured.socket.destroy();
      else guest.welcome(secured);
    } catch {
      // A stranger, or a guest who gave up. The socket is closed; whoever waits for it waits with a limit of his own.
    } finally {
      this.#handshakes.delete(handshake);
    }
  }

  close(): void {
    this.#isOpen = false;
    this.#guests.clear();
    for (const { abortion } of this.#handshakes) abortion.abort();
    this.#resumed.close();
  }

  /** Undefined when there are too many. */
  #beginHandshake(): Handshake | undefined {
    const nowMs = this.#nowMs();
    const [oldest] = this.#handshakes;
    if (oldest !== undefined && this.#handshakes.size >= MAX_HANDSHAKES) {
      if (nowMs - oldest.sinceMs < HANDSHAKE_GRACE_MS) return undefined;
      this.#handshakes.delete(oldest);
      oldest.abortion.abort();
    }
    const handshake = { sinceMs: nowMs, abortion: new AbortController() };
    this.#handshakes.add(handshake);
    return handshake;
  }

  #returning(id: string): Guest | undefined {
    const ticket = this.#isOpen ? this.#tickets.redeem(id) : undefined;
    if (ticket === undefined || !this.#resumed.hasRoomFor(ticket.peer)) return undefined;
    const { peer, key, lifeMs } = ticket;
    const welcome = ({ socket, bytes }: Secured): void => {
      this.#resumed.add(peer, socket, lifeMs);
      this.#returned(peer, bytes(peer));
    };
    return { ...CONTROL, key, welcome };
  }
}
