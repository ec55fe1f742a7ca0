/** @module What one announcement to a holder says: changes, and whole shards as they are held now. */
import type { ChangeQueue, Changes } from './change-queue.ts';
import type { AnnounceRequest } from './messages.ts';
import { MAX_BATCH_HASHES, packHashes } from './packed-hashes.ts';
import type { BlockHash, HeldBlocks } from './ports.ts';
import type { ShardQueue, WholeParts } from './shard-queue.ts';

export interface Batch {
  readonly changes: Changes;
  readonly wholes: WholeParts;
}

/** The oldest changes, and as many whole shards as there is room for beside them. */
export function takeBatch(pending: ChangeQueue, wanted: ShardQueue, held: HeldBlocks): Batch {
  const changes = pending.take(MAX_BATCH_HASHES);
  const room = MAX_BATCH_HASHES - changes.size;
  // A part of a shard is cut to fit a batch, which is sensible only while there is a good part of a batch to fill.
  const isWorthwhile = room >= MAX_BATCH_HASHES / 2;
  return { changes, wholes: isWorthwhile ? wanted.take(held, room) : { prefixes: [], hashes: [] } };
}

export function isEmpty({ changes, wholes }: Batch): boolean {
  return changes.size === 0 && wholes.prefixes.length === 0;
}

/** What the request says is added and removed; `taken` of the answer must be as many. */
export function contentOf({
  changes,
  wholes,
}: Batch): Pick<AnnounceRequest, 'added' | 'removed' | 'whole'> & { readonly count: number } {
  const present: BlockHash[] = [];
  const removed: BlockHash[] = [];
  for (const [hash, change] of changes) (change.present ? present : removed).push(hash);
  const added = withoutDuplicates(present, wholes.hashes);
  return {
    added: packHashes(added),
    removed: packHashes(removed),
    whole: [...wholes.prefixes],
    count: added.length + removed.length,
  };
}

function withoutDuplicates(first: readonly BlockHash[], second: readonly BlockHash[]): readonly BlockHash[] {
  if (first.length === 0) return second;
  return second.length === 0 ? first : [...new Set([...first, ...second])];
}
