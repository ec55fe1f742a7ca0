/** @module Whose sockets are let in beside libp2p: those of peers that were invited, to just that, and of those with a ticket. */
import type { Socket } from 'node:net';
import type { ByteStream } from './byte-stream.ts';
import { CONTROL, type DirectKind, overTls, SET_UP_TIMEOUT_MS } from './direct-kind.ts';
import { acceptTls } from './direct-tls.ts';
import { overloaded, unreachable } from './errors.ts';
import { createInvitation, type Invitation } from './invitation.ts';
import type { PeerId } from './network.ts';
import { acceptSealed, SEALED_FIRST_BYTE, type Secured } from './sealed-socket.ts';
import { type SessionTicket, TicketOffice } from './session-ticket.ts';

const MAX_INVITATIONS = 1024;
/** Sockets that have not yet proved anything. */
const MAX_HANDSHAKES = 64;
/** Connections at once of peers that came with a ticket. */
const MAX_RESUMED = 4096;
/** How long a connection is idle before the kernel asks whether the other end is still there. */
const KEEP_ALIVE_MS = 10_000;

interface Guest extends DirectKind {
  readonly key: Uint8Array;
  readonly welcome: (secured: Secured) => void;
}

/** Of a connection for control that `peer` opened with a ticket. */
export type ReturnListener = (peer: PeerId, bytes: ByteStream) => void;

export class GuestList {
  readonly #returned: ReturnListener;
  readonly #guests = new Map<string, Guest>();
  readonly #resumed = new Set<Socket>();
  readonly #tickets = new TicketOffice();
  #handshakes = 0;
  #isOpen = false;

  constructor(returned: ReturnListener) {
    this.#returned = returned;
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

  close(): void {
    this.#isOpen = false;
    this.#guests.clear();
    for (const socket of this.#resumed) socket.destroy();
  }

  /** Who comes with a ticket. No libp2p connection watches over this one: the kernel does. */
  #returning(id: string): Guest | undefined {
    const ticket = this.#isOpen && this.#resumed.size < MAX_RESUMED ? this.#tickets.redeem(id) : undefined;
    if (ticket === undefined) return undefined;
    const { peer, key } = ticket;
    const welcome = ({ socket, bytes }: Secured): void => {
      this.#resumed.add(socket);
      socket.once('close', () => this.#resumed.delete(socket));
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      this.#returned(peer, bytes(peer));
    };
    return { ...CONTROL, key, welcome };
  }
}
