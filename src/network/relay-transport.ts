/** @module libp2p's circuit relay v2, both sides: dialling over metadata nodes, having a place on them, and being one. */
import {
  circuitRelayServer,
  circuitRelayTransport,
  RELAY_V2_HOP_CODEC,
  RELAY_V2_STOP_CODEC,
} from '@libp2p/circuit-relay-v2';
import type { PeerId as Libp2pPeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { PeerId } from './network.ts';

/** Nodes that may have a place on one relay. */
const MAX_RESERVATIONS = 4_096;
/** Relayed connections that one member may have open over one relay: its share. */
const MAX_RELAYED_PER_MEMBER = 128;

type TransportFactory = ReturnType<typeof circuitRelayTransport>;
type Transport = ReturnType<TransportFactory>;

/** What this file uses of the transport beyond its type: it takes places by itself only for addresses that it listens on. */
interface Reserving {
  readonly reservationStore: {
    hasReservation(relay: Libp2pPeerId): boolean;
    addRelay(relay: Libp2pPeerId, type: 'configured'): Promise<unknown>;
    /** Relays that failed once, by the bytes of their peer ids. */
    readonly relayFilter: { remove(relay: Uint8Array): boolean };
  };
}

/**
 * To be guarded. Only members may take a place, or be connected; and only a member may bring a connection from somebody else: with
 * whoever does that libp2p takes a place at once, and tells others to come over it.
 */
export const RELAY_PROTOCOLS: readonly string[] = [RELAY_V2_HOP_CODEC, RELAY_V2_STOP_CODEC];

/** The transport, and a hold on the places it keeps. One per host. */
export class RelayTransport {
  #transport: (Transport & Reserving) | undefined;

  readonly factory: TransportFactory = (components) => {
    const transport = circuitRelayTransport({
      maxInboundStopStreams: MAX_RELAYED_PER_MEMBER * 8,
      maxOutboundStopStreams: MAX_RELAYED_PER_MEMBER * 8,
    })(components);
    this.#transport = transport as Transport & Reserving;
    return transport;
  };

  hasPlace(relay: PeerId): boolean {
    return this.#transport?.reservationStore.hasReservation(peerIdFromString(relay)) ?? false;
  }

  /** Order: connect to `relay` before, without a relay. libp2p renews the place until the connection ends. */
  async reserve(relay: PeerId): Promise<void> {
    const peer = peerIdFromString(relay);
    const store = this.#transport?.reservationStore;
    // To libp2p a peer that failed as a relay once is none for ever; a metadata node, or the way to it, comes back.
    store?.relayFilter.remove(peer.toMultihash().bytes);
    await store?.addRelay(peer, 'configured');
  }
}

/** The service of a metadata node. The default limits (128 KiB, two minutes) are for strangers, and members are none. */
export function relayService(): ReturnType<typeof circuitRelayServer> {
  return circuitRelayServer({
    maxInboundHopStreams: MAX_RELAYED_PER_MEMBER,
    maxOutboundStopStreams: MAX_RELAYED_PER_MEMBER * 8,
    reservations: { maxReservations: MAX_RESERVATIONS, applyDefaultLimit: false },
  });
}
