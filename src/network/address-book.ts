/** @module Where peers were last known to be. Libp2p's own peer store forgets addresses after an hour; a cluster must not. */
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { badAddress } from './errors.ts';
import type { PeerId } from './network.ts';

const MAX_PEERS = 16_384;
const MAX_ADDRESSES_PER_PEER = 16;
/** Of what anybody may have said: few, and never in the place of what is known. */
const MAX_HEARD_PEERS = 256;
const MAX_HEARD_ADDRESSES = 4;

export class AddressBook {
  readonly #addresses = new Map<PeerId, readonly Multiaddr[]>();
  readonly #heard = new Map<PeerId, readonly Multiaddr[]>();

  /** The newest come first; the oldest peers and addresses are forgotten beyond the limits. */
  add(peer: PeerId, addresses: readonly Multiaddr[]): void {
    const known = this.#addresses.get(peer) ?? [];
    const union = new Map([...addresses, ...known].map((address) => [address.toString(), address]));
    this.#addresses.delete(peer);
    this.#addresses.set(peer, [...union.values()].slice(0, MAX_ADDRESSES_PER_PEER));
    if (this.#addresses.size <= MAX_PEERS) return;
    for (const oldest of this.#addresses.keys()) {
      this.#addresses.delete(oldest);
      break;
    }
  }

  /** Takes what somebody in the local network says; tried after what is known, and forgotten when it says something else. */
  hear(peer: PeerId, addresses: readonly Multiaddr[]): void {
    this.#heard.delete(peer);
    this.#heard.set(peer, addresses.slice(0, MAX_HEARD_ADDRESSES));
    const [oldest] = this.#heard.keys();
    if (this.#heard.size > MAX_HEARD_PEERS && oldest !== undefined) this.#heard.delete(oldest);
  }

  get(peer: PeerId): readonly Multiaddr[] {
    return [...(this.#addresses.get(peer) ?? []), ...(this.#heard.get(peer) ?? [])];
  }

  /** Those heard of; hearsay. */
  heard(): readonly PeerId[] {
    return [...this.#heard.keys()];
  }
}

/** NETWORK_BAD_ADDRESS when `text` is no multiaddr. */
export function parseAddress(text: string): Multiaddr {
  try {
    return multiaddr(text);
  } catch (cause) {
    throw badAddress(text, cause);
  }
}

/** The peer id at the end of `address`, if it has one. */
export function peerOf(address: Multiaddr): PeerId | undefined {
  return address.getComponents().findLast(({ name }) => name === 'p2p')?.value;
}
