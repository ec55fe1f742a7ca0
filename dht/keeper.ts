/** @module Who decides for a shard: the closest of its holders that is alive. */
import type { MetadataRing, PeerId } from './ports.ts';
import { HOLDERS_PER_SHARD } from './shard.ts';

/**
 * The shard's keeper, or undefined while none of its holders is alive. Two nodes may for a while each believe to be the
 * keeper, since each judges liveness by itself; what a keeper does must be safe even then.
 */
export function keeper(
  ring: Pick<MetadataRing, 'closest'>,
  shard: number,
  isAlive: (peer: PeerId) => boolean,
): PeerId | undefined {
  return ring.closest(shard, HOLDERS_PER_SHARD).find((peer) => isAlive(peer));
}
