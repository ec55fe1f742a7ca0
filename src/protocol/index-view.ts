/** @module What people see of the location index: its messages and how it is cut, for those who know nothing of dht/. */
import { describeEpoch } from '../../dht/membership-ring.ts';
import { SHARD_COUNT } from '../../dht/shard.ts';
import { ShardSet } from '../../dht/shard-set.ts';

export type {
  IndexLookupResponse,
  IndexNode,
  IndexOverviewResponse,
  IndexStatusResponse,
} from '../../dht/messages.ts';
export { describeEpoch, SHARD_COUNT };

/** The shards of a bitmap in rising order. Throws DHT_BAD_BATCH when it is none. */
export function shardsIn(bitmap: Uint8Array): ReadonlySet<number> {
  return new Set(ShardSet.decode(bitmap));
}
