/** @module A location table whose hash key is the same in every run. */
import { LocationTable, type LocationTableOptions } from '../../dht/location-table.ts';
import { HASH_SIZE_BYTES } from '../../dht/shard.ts';

const SECRET = new Uint8Array(HASH_SIZE_BYTES).fill(1);

export function newTable(options: Partial<LocationTableOptions> = {}): LocationTable {
  return new LocationTable({ secret: SECRET, ...options });
}
