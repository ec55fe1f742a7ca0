/** @module What may have a connection of its own beside libp2p, how each is secured, and how one is dialled. */
import type { Socket } from 'node:net';
import { dialTls } from './direct-tls.ts';
import type { Invitation } from './invitation.ts';
import type { TrafficClass } from './network.ts';
import { dialSealed, type Secured } from './sealed-socket.ts';
import type { SocketAddress } from './socket-address.ts';
import { SocketBytes } from './socket-bytes.ts';

/** How a class of traffic is secured. */
export interface DirectKind {
  readonly trafficClass: TrafficClass;
  readonly isSealed: boolean;
}

/** Also bounds how long a peer that cannot be reached directly holds up the use of libp2p instead. */
export const SET_UP_TIMEOUT_MS = 2_000;

export const CONTROL: DirectKind = { trafficClass: 'control', isSealed: false };

/** In the order of their numbers on the wire. Peers of an earlier release ask for bulk over TLS. */
export const DIRECT_KINDS: readonly DirectKind[] = [
  { trafficClass: 'raft', isSealed: false },
  CONTROL,
  { trafficClass: 'bulk', isSealed: false },
  { trafficClass: 'bulk', isSealed: true },
];

/** The number on the wire of how we open a connection for `trafficClass`; undefined when it has none of its own. */
export function directKindOf(trafficClass: TrafficClass): number | undefined {
  const kind = DIRECT_KINDS.findLastIndex((each) => each.trafficClass === trafficClass);
  return kind < 0 ? undefined : kind;
}

/** Throws whatever is in the way of it. */
export async function dialDirect(
  { isSealed }: DirectKind,
  address: SocketAddress,
  invitation: Invitation,
  signal: AbortSignal,
): Promise<Secured> {
  return isSealed
    ? dialSealed(address, invitation, signal)
    : overTls(await dialTls(address, invitation, signal));
}

export function overTls(socket: Socket): Secured {
  return { socket, bytes: (peer) => new SocketBytes(socket, peer) };
}
