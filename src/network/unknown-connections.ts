/**
 * @module Connections that peers opened whom nobody has vouched for yet: so many may there be, and so many peers that left again does
 * libp2p remember. Otherwise a stranger with a name of its own for each connection takes the places and the memory of the members.
 * Nobody is asked about before there are so many, which is never in a cluster that is left in peace.
 */
import type { Connection, PeerId as Libp2pPeerId } from '@libp2p/interface';
import { overloaded } from './errors.ts';
import type { PeerId } from './network.ts';

/** A small part of the connections that libp2p takes (libp2p-settings.ts). */
const MAX_OPEN = 512;
/** What libp2p keeps of one may have 80 KiB. */
const MAX_DEPARTED = 256;

export interface UnknownConnectionsComponents {
  /** Whether the peer is a member, as far as can be told; never rejects. */
  readonly admits: (peer: PeerId) => Promise<boolean>;
  readonly isConnected: (peer: PeerId) => boolean;
  /** Drops what libp2p remembers of a peer. */
  readonly forget: (peer: Libp2pPeerId) => void;
}

export interface UnknownConnectionsOptions {
  readonly maxOpen?: number;
  readonly maxDeparted?: number;
}

type UnknownConnection = Pick<Connection, 'id' | 'direction' | 'remotePeer' | 'abort'>;

export class UnknownConnections {
  readonly #components: UnknownConnectionsComponents;
  readonly #maxOpen: number;
  readonly #maxDeparted: number;
  /** The oldest first, as all here. */
  readonly #open = new Map<string, UnknownConnection>();
  readonly #departed = new Map<PeerId, Libp2pPeerId>();

  constructor(components: UnknownConnectionsComponents, options: UnknownConnectionsOptions = {}) {
    this.#components = components;
    this.#maxOpen = options.maxOpen ?? MAX_OPEN;
    this.#maxDeparted = options.maxDeparted ?? MAX_DEPARTED;
  }

  /** Whom we dial, we know. */
  opened(connection: UnknownConnection): void {
    if (connection.direction !== 'inbound') return;
    this.#open.set(connection.id, connection);
    const [oldest] = this.#open.values();
    if (this.#open.size > this.#maxOpen && oldest !== undefined) void this.#judge(oldest);
  }

  closed({ id, remotePeer }: Pick<Connection, 'id' | 'remotePeer'>): void {
    if (this.#open.delete(id)) this.#depart(remotePeer);
  }

  /** A member is known from then on; whoever is none has had its time. */
  async #judge(connection: UnknownConnection): Promise<void> {
    this.#open.delete(connection.id);
    const peer = connection.remotePeer.toString();
    if (await this.#components.admits(peer)) return;
    connection.abort(overloaded(peer, 'set of connections of strangers'));
    this.#depart(connection.remotePeer);
  }

  #depart(remotePeer: Libp2pPeerId): void {
    const peer = remotePeer.toString();
    this.#departed.delete(peer);
    this.#departed.set(peer, remotePeer);
    const [oldest] = this.#departed.values();
    if (this.#departed.size > this.#maxDeparted && oldest !== undefined) void this.#forget(oldest);
  }

  /** Of members libp2p remembers where they are: others may ask. */
  async #forget(remotePeer: Libp2pPeerId): Promise<void> {
    const { admits, isConnected, forget } = this.#components;
    const peer = remotePeer.toString();
    this.#departed.delete(peer);
    if (!isConnected(peer) && !(await admits(peer)) && !isConnected(peer)) forget(remotePeer);
  }
}
