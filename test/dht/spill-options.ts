/** @module What a table in a test needs to put shards on disk. */
import type { LocationTableOptions } from '../../dht/location-table.ts';
import type { PageStore } from '../../dht/ports.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';

type SpillOptions = NonNullable<LocationTableOptions['spill']>;

export function spillOptions(store: PageStore, options: Partial<SpillOptions> = {}): SpillOptions {
  return {
    store,
    clock: systemClock,
    logger: silentLogger,
    memoryBytes: 0,
    minShardBytes: 0,
    onLost: () => undefined,
    ...options,
  };
}
