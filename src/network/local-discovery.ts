/**
 * @module Multicast DNS (RFC 6762) in the local network: who of the cluster is here, and where. Anybody can say anything there, so what
 * is heard is only ever an address to try; who answers at it proves its identity, and whether it is a member is asked elsewhere.
 */
import { createHash } from 'node:crypto';
import { mdns } from '@libp2p/mdns';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { PeerId } from './network.ts';

const QUERY_INTERVAL_MS = 10_000;
/** RFC 6335 §5.1: fifteen characters at most. */
const NAME_HEX_DIGITS = 12;

export interface LocalDiscoveryOptions {
  /** Nodes of other clusters neither ask nor answer under the same name. */
  readonly cluster: string;
  readonly heard: (peer: PeerId, addresses: readonly Multiaddr[]) => void;
}

/** A libp2p peer discovery. */
export function localDiscovery({ cluster, heard }: LocalDiscoveryOptions): ReturnType<typeof mdns> {
  const digest = createHash('sha256').update(`holdfast mdns ${cluster}`).digest('hex');
  const make = mdns({
    serviceTag: `_hf${digest.slice(0, NAME_HEX_DIGITS)}._udp.local`,
    interval: QUERY_INTERVAL_MS,
  });
  return (components) => {
    const discovery = make(components);
    discovery.addEventListener('peer', ({ detail: { id, multiaddrs } }) => heard(id.toString(), multiaddrs));
    return discovery;
  };
}
