/** @module How many copies the blocks of a file shall have: said at once of a small file, in steps of Housekeeping of a large one. */
import { pageCount, replicatePages } from './block-references.ts';
import { fileReplicationDeadline } from './deadlines.ts';
import { hasLevel } from './feature-level.ts';
import { EXTENT_PAGE_BLOCKS, MAX_BLOCKS_PER_COMMAND } from './limits.ts';
import type { RowView } from './row-view.ts';
import type { Inode } from './schema.ts';

/** Whether so many blocks are too many to be gone through in one command. */
export function needsSteps(view: RowView, blockCount: number): boolean {
  return blockCount > MAX_BLOCKS_PER_COMMAND && hasLevel(view, 3);
}

/** Asks for `replication` copies of all blocks of a file. Gives the inode as it is then, not put yet. */
export function replicate(view: RowView, inode: Inode, replication: number, timeMs: number): Inode {
  const changed: Inode = { ...inode, replication };
  if (needsSteps(view, inode.blockCount)) return replicateLater(view, changed, timeMs);
  replicatePages(view, inode, { fromPage: 0, toPage: pageCount(inode), replication });
  return { ...changed, pagesToReplicate: undefined };
}

/** Leaves it to Housekeeping to ask for as many copies of each block as the inode says. Gives the inode, not put yet. */
export function replicateLater(view: RowView, inode: Inode, timeMs: number): Inode {
  fileReplicationDeadline(view, inode.id, timeMs);
  return { ...inode, pagesToReplicate: pageCount(inode) };
}

/**
 * Asks for the copies of some `blocks` more, by whole pages, the last first: what is appended meanwhile asks for its own.
 * Gives the inode, not put yet.
 */
export function replicateSome(view: RowView, inode: Inode, blocks: number): Inode {
  const toPage = inode.pagesToReplicate ?? 0;
  const fromPage = Math.max(0, toPage - Math.ceil(blocks / EXTENT_PAGE_BLOCKS));
  replicatePages(view, inode, { fromPage, toPage, replication: inode.replication });
  return { ...inode, pagesToReplicate: fromPage === 0 ? undefined : fromPage };
}
