/** @module A client's cache on its machine's disk: the blocks it read, and for a while which blocks its files have. */
import { join } from 'node:path';
import type { Clock } from '../../common/clock.ts';
import type { HoldfastError } from '../../common/errors.ts';
import { GIB, MIB } from '../../common/bytes.ts';
import type { Logger } from '../../common/logger.ts';
import type { Random } from '../../common/random.ts';
import { invalidArgument } from '../errors.ts';
import type { PlanSource } from '../read-plan.ts';
import { BlockCache } from './block-cache.ts';
import { CacheShelf } from './cache-shelf.ts';
import { CacheTrouble } from './cache-trouble.ts';
import { RememberedPlans } from './remembered-plans.ts';

export interface CacheSettings {
  /** Made when it is not there, in a directory that is; several clients, also of several clusters, may share it. Holds the bytes of files: keep it private. */
  readonly directory: string;
  /**
   * How long files may be seen as they were, in milliseconds, at most MAX_CACHE_TTL_MS. 0, the default: the metadata nodes
   * are asked for every file, and reads are as without a cache.
   */
  readonly ttlMs?: number | undefined;
  /** Bytes that blocks may take, at least MIN_CACHE_BYTES; DEFAULT_CACHE_BYTES when absent. */
  readonly sizeBytes?: number | undefined;
  /** Told once when the cache's disk fails or is full; reading goes on without it. */
  readonly onTrouble?: ((error: HoldfastError) => void) | undefined;
}

export interface ClientCacheComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Asks the metadata nodes. */
  readonly source: PlanSource;
}

const DEFAULT_CACHE_BYTES: number = 4 * GIB;
/** A few small blocks; what is less was surely meant in another unit. */
const MIN_CACHE_BYTES: number = MIB;
/** An hour; blocks of a file that was removed are gone not long after. */
const MAX_CACHE_TTL_MS = 3_600_000;
/** A page of 256 blocks takes some 10 KiB. */
const PLANS_BYTES: number = 32 * MIB;

export class ClientCache {
  readonly blocks: BlockCache;
  readonly plans: RememberedPlans;

  /** Errors: CLIENT_INVALID_ARGUMENT. */
  constructor(components: ClientCacheComponents, clusterId: string, settings: CacheSettings) {
    const { directory, ttlMs = 0, sizeBytes = DEFAULT_CACHE_BYTES, onTrouble = () => {} } = settings;
    check('cache ttlMs', ttlMs, 0, MAX_CACHE_TTL_MS);
    check('cache sizeBytes', sizeBytes, MIN_CACHE_BYTES, Number.MAX_SAFE_INTEGER);
    const trouble = new CacheTrouble(components, { directory, onTrouble });
    const blocks = new CacheShelf(components, { directory: join(directory, 'blocks'), sizeBytes });
    const plans = new CacheShelf(components, {
      directory: join(directory, 'plans'),
      sizeBytes: PLANS_BYTES,
    });
    this.blocks = new BlockCache({ ...components, shelf: blocks, trouble });
    this.plans = new RememberedPlans({ ...components, shelf: plans, trouble }, { clusterId, ttlMs });
  }
}

function check(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && least <= value && value <= most) return;
  throw invalidArgument(name, value, `a whole number from ${least} to ${most}`);
}
