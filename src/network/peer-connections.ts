/**
 * @module The libp2p connections to a peer, and the best of them: without a relay before with one. A peer behind NAT is reached over
 * a relay first, and at once the two look for a better way; who waits for a connection waits a moment for that, too.
 */
import type { Connection, Libp2p, PeerId as Libp2pPeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { Logger } from '../common/logger.ts';
import { type AddressBook, peerOf } from './address-book.ts';
import { dialRace } from './dial-race.ts';
import { unreachable } from './errors.ts';
import type { PathKind, PeerId } from './network.ts';
import { PathUpgrades } from './path-upgrades.ts';
import { isRelayed, relayedAddress, relayOf } from './relay-address.ts';

/** Of a dial that several callers may wait for. */
const DIAL_TIMEOUT_MS = 5_000;
/** How long the first use of a relayed connection waits for a better one. */
const UPGRADE_PATIENCE_MS = 1_000;
/** Decoded peer ids that are kept. */
const MAX_IDS = 16_384;

export interface PeerConnectionsComponents {
  readonly libp2p: Libp2p;
  /** Dials one address without asking whether there is a connection already. */
  readonly dial: (address: Multiaddr, signal: AbortSignal) => Promise<Connection>;
  /** Looks for a way around the relay of `connection`. */
  readonly meet: (connection: Connection, signal: AbortSignal) => Promise<Connection>;
  /** Addresses (as text) that were, or are being, punched to. */
  readonly punched: ReadonlySet<string>;
  readonly book: AddressBook;
  readonly logger: Logger;
}

export class PeerConnections {
  readonly #components: PeerConnectionsComponents;
  readonly #upgrades: PathUpgrades;
  readonly #dialling = new Map<PeerId, Promise<Connection>>();
  readonly #ids = new Map<PeerId, Libp2pPeerId>();
  readonly #stopping = new AbortController();

  constructor(components: PeerConnectionsComponents) {
    this.#components = components;
    this.#upgrades = new PathUpgrades({
      relayed: (peer) => {
        const connection = this.best(peer);
        return connection !== undefined && isRelayed(connection.remoteAddr) ? connection : undefined;
      },
      meet: components.meet,
      logger: components.logger,
    });
  }

  /** What is open to `peer` now; one that we dialled before one that the peer did. */
  best(peer: PeerId): Connection | undefined {
    const open = this.#components.libp2p
      .getConnections(this.#idOf(peer))
      .filter(({ status }) => status === 'open');
    const rank = (connection: Connection): number => ORDER.indexOf(this.kindOf(connection));
    return open.toSorted((left, right) => rank(left) - rank(right))[0];
  }

  kindOf({ remoteAddr, direction }: Connection): PathKind {
    if (isRelayed(remoteAddr)) return 'relayed';
    if (this.#components.punched.has(remoteAddr.toString())) return 'punched';
    return direction === 'outbound' ? 'direct' : 'reversed';
  }

  /** The best connection to `peer`, dialled where there is none. Throws whatever is in the way of it. */
  async connect(peer: PeerId, signal: AbortSignal): Promise<Connection> {
    const connection = this.best(peer) ?? (await unlessAborted(signal, () => this.#dialOnce(peer)));
    if (!isRelayed(connection.remoteAddr)) return connection;
    await unlessAborted(signal, () => this.#upgrades.within(peer, UPGRADE_PATIENCE_MS));
    return this.best(peer) ?? connection;
  }

  /**
   * At this very address, for as long as `signal` allows: libp2p's own dial gives up after three seconds, in which a machine that is
   * busy may not get through a handshake. An open connection to the peer that the address names will do, too.
   */
  async dial(address: Multiaddr, signal: AbortSignal): Promise<Connection> {
    const peer = peerOf(address);
    const open = peer === undefined ? undefined : this.best(peer);
    if (open !== undefined) return open;
    // The relay has to be reached first.
    return isRelayed(address)
      ? this.#components.libp2p.dial(address, { signal })
      : this.#components.dial(address, signal);
  }

  /** Something has changed (an address, a router): whoever is reached over a relay is perhaps reached better now. */
  reconsider(): void {
    this.#upgrades.forgetFailures();
  }

  stop(): void {
    this.#stopping.abort(unreachable(this.#components.libp2p.peerId.toString(), 'this node is stopping'));
    this.#upgrades.stop();
  }

  #dialOnce(peer: PeerId): Promise<Connection> {
    let dialling = this.#dialling.get(peer);
    if (dialling === undefined) {
      const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]);
      dialling = this.#dial(peer, signal).finally(() => this.#dialling.delete(peer));
      this.#dialling.set(peer, dialling);
    }
    return dialling;
  }

  /**
   * A peer that names relays is behind a router that lets nobody in: its own addresses come last. They are those of its
   * private network, where at best we are too, and at worst somebody else has them.
   */
  async #dial(peer: PeerId, signal: AbortSignal): Promise<Connection> {
    const { book, libp2p } = this.#components;
    const known = book.get(peer);
    if (known.length === 0) return libp2p.dial(peerIdFromString(peer), { signal });
    const relays = new Set(known.map(relayOf).filter((relay) => relay !== undefined));
    relays.delete(peer);
    relays.delete(libp2p.peerId.toString());
    const direct = known.filter((address) => !isRelayed(address)).map((address) => withPeer(address, peer));
    const ways = [
      ...(relays.size === 0 ? [] : [() => this.#dialOverRelays(peer, [...relays], signal)]),
      ...(direct.length === 0 ? [] : [() => dialRace(direct, this.#components.dial, signal)]),
    ];
    const failures: unknown[] = [];
    for (const dial of ways) {
      try {
        return await dial();
      } catch (error) {
        signal.throwIfAborted();
        failures.push(error);
      }
    }
    throw new AggregateError(failures, `Peer ${peer} answers at none of its addresses.`);
  }

  /** Those first to which there is a connection. */
  #dialOverRelays(peer: PeerId, relays: readonly PeerId[], signal: AbortSignal): Promise<Connection> {
    const usable = (relay: PeerId): boolean => {
      const connection = this.best(relay);
      return connection !== undefined && !isRelayed(connection.remoteAddr);
    };
    const ordered = [...relays.filter(usable), ...relays.filter((relay) => !usable(relay))];
    return dialRace(
      ordered,
      async (relay, given) => {
        const over = usable(relay)
          ? this.best(relay)
          : await unlessAborted(given, () => this.#dialRelay(relay));
        if (over === undefined || isRelayed(over.remoteAddr))
          throw unreachable(relay, 'a relay behind a relay');
        return this.#components.dial(multiaddr(relayedAddress(relay, peer)), given);
      },
      signal,
    );
  }

  /** To decode a peer id takes longer than all else that best() does, which is asked for each peer every other second. */
  #idOf(peer: PeerId): Libp2pPeerId {
    const known = this.#ids.get(peer);
    if (known !== undefined) return known;
    if (this.#ids.size >= MAX_IDS) this.#ids.clear();
    const id = peerIdFromString(peer);
    this.#ids.set(peer, id);
    return id;
  }

  /** Only at addresses of its own. */
  #dialRelay(relay: PeerId): Promise<Connection> {
    const { book, dial } = this.#components;
    const direct = book.get(relay).filter((address) => !isRelayed(address));
    if (direct.length === 0) return Promise.reject(unreachable(relay, 'no address of this relay is known'));
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]);
    return dialRace(
      direct.map((address) => withPeer(address, relay)),
      dial,
      signal,
    );
  }
}

/** Best first. */
const ORDER: readonly PathKind[] = ['local', 'direct', 'reversed', 'punched', 'relayed'];

function withPeer(address: Multiaddr, peer: PeerId): Multiaddr {
  const text = address.toString();
  return text.includes('/p2p/') ? address : multiaddr(`${text}/p2p/${peer}`);
}

/**
 * Leaves when `signal` fires; what was started goes on for the others who wait for it. For a caller who is gone already nothing is
 * started: nobody would hear of its failure, and one that nobody hears of ends the process.
 */
async function unlessAborted<T>(signal: AbortSignal, start: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([start(), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
