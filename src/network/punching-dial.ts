/** @module A libp2p connection over a hole: the socket comes from both sides dialling, so they agree beforehand on who begins. */
import type { Connection, Upgrader } from '@libp2p/interface';
import { type TCPComponents, tcp } from '@libp2p/tcp';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Socket } from 'node:net';
import { unreachable } from './errors.ts';
import { punch } from './hole-punch.ts';
import { socketAddressOf } from './relay-address.ts';

export interface PunchOptions {
  /** What the other side dials: where our router maps this port to. */
  readonly localPort: number;
  /** One side begins the handshakes, the other answers. */
  readonly initiator: boolean;
  readonly signal: AbortSignal;
}

/** `address` ends in /p2p/<peer>, and that peer has to be at the other end. */
export type PunchingDial = (address: Multiaddr, options: PunchOptions) => Promise<Connection>;

/** The part of libp2p's TCP transport that opens the socket of a dial. */
interface Connecting {
  _connect(address: Multiaddr, options: PunchOptions): Promise<Socket>;
}

export function punchingDial(components: TCPComponents & { readonly upgrader: Upgrader }): PunchingDial {
  const transport = tcp()(components);
  (transport as unknown as Connecting)._connect = (address, { localPort, signal }) => {
    const target = socketAddressOf(address);
    if (target === undefined) throw unreachable(address.toString(), 'it is no address of a plain socket');
    return punch(target, localPort, signal);
  };
  return (address, options) =>
    transport.dial(address, {
      ...options,
      // The transport hands its options on to the upgrader, which knows `initiator`.
      upgrader: options.initiator ? components.upgrader : answering(components.upgrader),
    });
}

/**
 * Yamux goes by the direction of the socket, not by `initiator`: both ends would be clients, and it gives up ("Both endpoints
 * are clients"). With libp2p's own hole punching, that was the end of every punched TCP connection.
 */
function answering(upgrader: Upgrader): Upgrader {
  const answer: Pick<Upgrader, 'upgradeOutbound'> = {
    upgradeOutbound(socket, options) {
      socket.direction = 'inbound';
      return upgrader.upgradeOutbound(socket, options);
    },
  };
  return Object.assign(Object.create(upgrader) as Upgrader, answer);
}
