/**
 * @module Addresses that lead over a relay. Ours name the relay by its peer id alone: whoever is a member knows where the metadata
 * nodes are today, so nothing goes stale when a relay moves.
 */
import type { Multiaddr } from '@multiformats/multiaddr';
import type { PeerId } from './network.ts';
import type { SocketAddress } from './socket-address.ts';

const RELAYED = 'p2p-circuit';

/** `/p2p/<relay>/p2p-circuit/p2p/<peer>`. */
export function relayedAddress(relay: PeerId, peer: PeerId): string {
  return `/p2p/${relay}/${RELAYED}/p2p/${peer}`;
}

export function isRelayed(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === RELAYED);
}

/** The relay that `address` names, if it leads over one. */
export function relayOf(address: Multiaddr): PeerId | undefined {
  const parts = address.getComponents();
  const circuit = parts.findIndex(({ name }) => name === RELAYED);
  return parts.slice(0, Math.max(0, circuit)).findLast(({ name }) => name === 'p2p')?.value;
}

/** Where a plain socket would go; undefined for a relay, or for what is not TCP. */
export function socketAddressOf(address: Multiaddr): SocketAddress | undefined {
  if (isRelayed(address)) return undefined;
  const parts = new Map(address.getComponents().map(({ name, value }) => [name, value]));
  const host = ['ip4', 'ip6', 'dns4', 'dns6', 'dns'].map((name) => parts.get(name)).find(Boolean);
  const port = parts.get('tcp');
  return host === undefined || port === undefined ? undefined : { host, port: Number(port) };
}
