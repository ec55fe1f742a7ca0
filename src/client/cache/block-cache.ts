/** @module Blocks that were read, on this machine's disk. They never change, so that only their bytes must be checked. */
import { toHex } from '../../common/bytes.ts';
import { sha256 } from '../../common/hashing.ts';
import type { Logger } from '../../common/logger.ts';
import type { CacheShelf } from './cache-shelf.ts';
import type { CacheTrouble } from './cache-trouble.ts';

export interface BlockCacheComponents {
  readonly shelf: CacheShelf;
  readonly trouble: CacheTrouble;
  readonly logger: Logger;
}

export class BlockCache {
  readonly #shelf: CacheShelf;
  readonly #trouble: CacheTrouble;
  readonly #logger: Logger;

  constructor({ shelf, trouble, logger }: BlockCacheComponents) {
    this.#shelf = shelf;
    this.#trouble = trouble;
    this.#logger = logger;
  }

  /** The whole block, its SHA-256 checked; undefined when it is not here. A damaged one is dropped. Never throws. */
  read(hash: Uint8Array): Promise<Uint8Array | undefined> {
    const name = toHex(hash);
    return this.#trouble.spare('read', async () => {
      const bytes = await this.#shelf.read(name);
      if (bytes === undefined || toHex(sha256(bytes)) === name) return bytes;
      this.#logger.warn('client.cached-block-damaged', { hash: name });
      await this.#shelf.drop(name);
      return undefined;
    });
  }

  /** Keeps a whole block, which the caller has verified. Never throws. */
  async keep(hash: Uint8Array, pieces: readonly Uint8Array[]): Promise<void> {
    await this.#trouble.spare('write', async () => (await this.#shelf.draft(toHex(hash))).commit(pieces));
  }
}
