/** @module Which shards this metadata node decides for, as far as it knows who else is there. */
import { keeper } from '../../../dht/keeper.ts';
import type { MetadataRing } from '../../../dht/ports.ts';
import { SHARD_BITS, SHARD_COUNT, shardOfHash } from '../../../dht/shard.ts';
import type { Network } from '../../network/network.ts';
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
  #computedFor = '';

  constructor(components: KeeperViewComponents) {
    this.#components = components;
  }

  /** Ascending. The same set as before while nobody came, went or fell silent. */
  shards(): ReadonlySet<number> {
    const { network, ring, pulse } = this.#components;
    const alive = ring.all().filter((peer) => pulse.isAlive(peer));
    const computedFor = `${ring.all().toSorted().join()} ${alive.toSorted().join()}`;
    if (computedFor === this.#computedFor) return this.#shards;
    const isAlive = (peer: string): boolean => alive.includes(peer);
    const kept = Array.from({ length: SHARD_COUNT }, (_, shard) => shard).filter(
      (shard) => keeper(ring, shard, isAlive) === network.localPeer,
    );
    this.#shards = new Set(kept);
    this.#computedFor = computedFor;
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
