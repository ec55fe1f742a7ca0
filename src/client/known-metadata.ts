/** @module The metadata nodes a client knows, the one it goes to among them, and which of them failed lately. */
import type { Clock } from '../common/clock.ts';
import type { Member } from '../namespace/schema.ts';
import type { Network, PeerId } from '../network/network.ts';
import { type KnownPeer, MAX_KNOWN_PEERS } from './profile.ts';

export interface KnownMetadataComponents {
  readonly network: Network;
  readonly clock: Clock;
}

/** Who did not answer is not gone to for its leadership alone for so long, in milliseconds. */
const SHUN_MS = 60_000;

export class KnownMetadata {
  readonly #components: KnownMetadataComponents;
  #peers: KnownPeer[] = [];
  #current: number;
  /** When those that are known failed last. */
  readonly #failedMs = new Map<PeerId, number>();

  /** `first`: position among `peers` of the one to begin with. */
  constructor(components: KnownMetadataComponents, peers: readonly KnownPeer[], first: number) {
    this.#components = components;
    this.#know(peers);
    this.#current = first;
  }

  get peers(): readonly KnownPeer[] {
    return this.#peers;
  }

  /** The one to go to: where the last answer came from, or the next after a failure. */
  get current(): PeerId | undefined {
    return this.#peers[this.#current]?.peer;
  }

  /** Goes to `leader` from now on, unless it failed lately or is not known. */
  prefer(leader: PeerId): void {
    const position = this.#peers.findIndex(({ peer }) => peer === leader);
    const failedMs = this.#failedMs.get(leader) ?? Number.NEGATIVE_INFINITY;
    if (position >= 0 && this.#components.clock.monotonicMs() - failedMs > SHUN_MS) this.#current = position;
  }

  /** Takes these as the metadata nodes there are now; says whether that changed anything. None at all is no news. */
  replace(peers: readonly KnownPeer[]): boolean {
    if (peers.length === 0 || sameText(peers, this.#peers)) return false;
    const { current } = this;
    this.#know(peers);
    this.#current = Math.max(
      0,
      this.#peers.findIndex(({ peer }) => peer === current),
    );
    return true;
  }

  /** Goes on to the next one. Calls that failed together move on once, not once each. */
  failed(peer: PeerId): void {
    this.#failedMs.set(peer, this.#components.clock.monotonicMs());
    if (this.current === peer) this.#current = (this.#current + 1) % this.#peers.length;
  }

  #know(peers: readonly KnownPeer[]): void {
    this.#peers = peers.slice(0, MAX_KNOWN_PEERS);
    for (const { peer, addresses } of this.#peers) this.#components.network.learn(peer, addresses);
    for (const peer of this.#failedMs.keys())
      if (!this.#peers.some((known) => known.peer === peer)) this.#failedMs.delete(peer);
  }
}

/** The active metadata nodes among `members`, ready for a profile. */
export function metadataNodesOf(members: readonly Member[]): KnownPeer[] {
  return members
    .filter((member) => member.roles.includes('meta') && member.state !== 'left')
    .map(({ peer, addresses }) => ({ peer, addresses }));
}

function sameText(left: readonly KnownPeer[], right: readonly KnownPeer[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
