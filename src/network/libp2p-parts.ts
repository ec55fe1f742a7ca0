/** @module libp2p and what is woven into it, made together: each needs a hold on the others. */
import type { Socket } from 'node:net';
import type { Libp2p } from '@libp2p/interface';
import { createLibp2p, type Libp2pOptions } from 'libp2p';
import { AddressBook } from './address-book.ts';
import { DirectConnections } from './direct-connections.ts';
import type { Identity } from './identity.ts';
import { type Libp2pHostOptions, libp2pSettings } from './libp2p-settings.ts';
import { RelayTransport } from './relay-transport.ts';

export interface HostParts {
  /** Not started. */
  readonly libp2p: Libp2p;
  readonly direct: DirectConnections;
  readonly relays: RelayTransport;
  readonly book: AddressBook;
}

/** NETWORK_BAD_ADDRESS. */
export async function createHostParts(identity: Identity, options: Libp2pHostOptions): Promise<HostParts> {
  const direct = new DirectConnections({ ticketed: options.ticketed });
  const relays = new RelayTransport();
  const book = new AddressBook();
  const hooks = {
    shared: () => direct.listening(),
    direct: (socket: Socket, first: number) => void direct.take(socket, first),
    closing: direct.stopping,
    relays,
    discovery: await discoveryOf(options, book),
  };
  const libp2p = await createLibp2p(libp2pSettings(identity, options, hooks));
  return { libp2p, direct, relays, book };
}

/** Loaded only where somebody wants it: every command that a person types would wait for it. */
async function discoveryOf(
  { multicast }: Libp2pHostOptions,
  book: AddressBook,
): Promise<NonNullable<Libp2pOptions['peerDiscovery']>> {
  if (multicast === undefined) return [];
  const { localDiscovery } = await import('./local-discovery.ts');
  return [localDiscovery({ cluster: multicast, heard: (peer, addresses) => book.hear(peer, addresses) })];
}
