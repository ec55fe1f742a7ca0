/** @module A copy that is not what its name says is served to nobody again, and the index forgets it: it counts as missing. */
import type { Clock } from '../common/clock.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { BlockHash } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { BlockIndexer } from './block-indexer.ts';

export interface CopyCheckComponents {
  readonly blocks: BlockStore;
  readonly indexer: Pick<BlockIndexer, 'withdraw'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Reads the whole copy held here and takes it out of service, kept aside for inspection where it can be, if it is rotten: then
 * true. It is read even when a reader has just found rot: that may have been in an older copy, which a good one has replaced
 * since. Errors: STORAGE_FAILED, STORAGE_OUT_OF_HANDLES.
 */
export async function checkCopy(components: CopyCheckComponents, hash: BlockHash): Promise<boolean> {
  const { blocks, indexer, clock, logger } = components;
  try {
    if (await blocks.verify(hash)) return false;
    logger.error('datanode.corrupt-block', { hash });
    await blocks.quarantine(hash, { reason: 'corrupt', era: 0, index: 0, sinceMs: clock.wallMs() });
  } catch (error) {
    // Somebody else was first, and withdraws it.
    if (isHoldfastError(error, 'STORAGE_NO_BLOCK')) return false;
    // It could not be looked at, and may be as good as ever.
    if (isHoldfastError(error, 'STORAGE_OUT_OF_HANDLES')) throw error;
    logger.warn('datanode.not-quarantined', { hash, error: describeError(error) });
    indexer.withdraw(hash);
    // On a disk that takes no changes it stays where it is, out of service all the same.
    if (blocks.has(hash)) throw error;
    return true;
  }
  indexer.withdraw(hash);
  return true;
}
