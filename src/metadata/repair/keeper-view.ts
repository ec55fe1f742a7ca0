/** @module Which shards this metadata node decides for, as far as it knows who else is there. */
import { keeper } from '../../../dht/keeper.ts';
import type { MetadataRing } from '../../../dht/ports.ts';
import { SHARD_BITS, SHARD_COUNT, shardOfHash } from '../../../dht/shard.ts';
import type { Network, PeerId } from '../../network/network.ts';
import type { MetadataPulse } from './metadata-pulse.ts';

export interface KeeperViewComponents {
  readonly network: Network;
  readonly ring: MetadataRing;
  readonly pulse: MetadataPulse;
}

const HEX_DIGITS = SHARD_BITS / 4;

/** Two nodes may keep one shard for a while: see dht/keeper.ts. */
export class KeeperView {
  readonly #components: KeeperViewComponents;
  #shards: ReadonlySet<number> = new Set();
  /** Who was there when they were computed, and who of them was alive. */
  #peers: readonly PeerId[] = [];
  #alive: readonly boolean[] = [];

  constructor(components: KeeperViewComponents) {
    this.#components = components;
  }

  /** Ascending. The same set as before while nobody who matters came, went or fell silent. */
  shards(): ReadonlySet<number> {
    const { network, ring, pulse } = this.#components;
    const peers = ring.all();
    // Asked for every block of a walk: no more than a look at each peer.
    if (peers === this.#peers && peers.every((peer, at) => pulse.isAlive(peer) === this.#alive[at]))
      return this.#shards;
    this.#peers = peers;
    this.#alive = peers.map((peer) => pulse.isAlive(peer));
    const alive = new Set(peers.filter((_peer, at) => this.#alive[at]));
    const kept = Array.from({ length: SHARD_COUNT }, (_, shard) => shard).filter(
      (shard) => keeper(ring, shard, (peer) => alive.has(peer)) === network.localPeer,
    );
    if (kept.length !== this.#shards.size || kept.some((shard) => !this.#shards.has(shard)))
      this.#shards = new Set(kept);
    return this.#shards;
  }

  keeps(hash: string): boolean {
    return this.shards().has(shardOfHash(hash));
  }
}

/** What stands before every hash of the shard, and after those of the shard before it. */
export function beforeShard(shard: number): string {
  return shard.toString(16).padStart(HEX_DIGITS, '0');
}
