/** @module Where this node listens, as others may dial it. */
import { isIPv4 } from 'node:net';
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { parseAddress } from './address-book.ts';
import { isPublicAddress } from './gateway.ts';
import type { Innards } from './libp2p-settings.ts';
import { isRelayed, socketAddressOf } from './relay-address.ts';

const LOOPBACK_IP6 = '/ip6/::1/';
/** How a socket of both families says where an IPv4 peer is. */
const MAPPED_IP4 = /^::ffff:(?=\d+\.)/;

export interface OwnAddressesComponents {
  readonly libp2p: Libp2p;
  readonly innards: Pick<Innards, 'transportManager'>;
  /** Multiaddrs at which a router lets others in, without a peer id. */
  readonly mapped: () => readonly string[];
}

export class OwnAddresses {
  readonly #components: OwnAddressesComponents;

  constructor(components: OwnAddressesComponents) {
    this.#components = components;
  }

  /** Where a router lets others in, before what only the private network can dial. */
  addresses(): readonly Multiaddr[] {
    const { libp2p, mapped } = this.#components;
    const outside = mapped().map((text) => parseAddress(`${text}/p2p/${libp2p.peerId.toString()}`));
    const own = libp2p.getMultiaddrs().filter((address) => !isRelayed(address));
    // Whoever could use it is on this machine, and has another of it.
    const others = own.filter((address) => !address.toString().startsWith(LOOPBACK_IP6));
    return [...outside, ...(others.length > 0 ? others : own)];
  }

  /** Whether whoever sees us at `observed` is in one private network (IPv4) with us: no router came between. */
  isNear(observed: Multiaddr): boolean {
    const seen = hostOf(observed);
    return isIPv4(seen) && !isPublicAddress(seen) && this.addresses().some((own) => hostOf(own) === seen);
  }

  /** TCP ports, each once. */
  ports(): readonly number[] {
    const listening = this.#components.innards.transportManager.getAddrs().map(socketAddressOf);
    return [...new Set(listening.flatMap((socket) => (socket === undefined ? [] : [socket.port])))];
  }
}

function hostOf(address: Multiaddr): string {
  return (socketAddressOf(address)?.host ?? '').replace(MAPPED_IP4, '');
}
