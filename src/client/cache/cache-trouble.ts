/** @module What becomes of a cache whose disk fails or is full: it is left alone for a while, and said once. */
import type { Clock } from '../../common/clock.ts';
import type { HoldfastError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { cacheUnusable } from '../errors.ts';

export interface CacheTroubleComponents {
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface CacheTroubleOptions {
  readonly directory: string;
  /** Told of the first failure only. */
  readonly onTrouble: (error: HoldfastError) => void;
}

/** A full disk still gives what it has. */
export type CacheUse = 'read' | 'write';

/** How long nothing more of the kind is asked of a disk that failed. */
const PAUSE_MS = 60_000;

export class CacheTrouble {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #options: CacheTroubleOptions;
  readonly #pausedUntilMs = new Map<CacheUse, number>();
  #isTold = false;

  constructor({ clock, logger }: CacheTroubleComponents, options: CacheTroubleOptions) {
    this.#clock = clock;
    this.#logger = logger;
    this.#options = options;
  }

  /** What `work` gives, or undefined: while the cache is left alone, and when it fails. Never throws. */
  async spare<T>(use: CacheUse, work: () => Promise<T>): Promise<T | undefined> {
    if (this.#clock.monotonicMs() < (this.#pausedUntilMs.get(use) ?? Number.NEGATIVE_INFINITY))
      return undefined;
    try {
      return await work();
    } catch (cause) {
      this.#pausedUntilMs.set(use, this.#clock.monotonicMs() + PAUSE_MS);
      this.tell(cause);
      return undefined;
    }
  }

  tell(cause: unknown): void {
    const error = cacheUnusable(this.#options.directory, PAUSE_MS, cause);
    this.#logger.warn('client.cache-unusable', { error: error.message });
    if (!this.#isTold) this.#options.onTrouble(error);
    this.#isTold = true;
  }
}
