/**
 * @module Copies by reference: blocks never change, so only the namespace does.
 *
 * A file that is too large for one step is written like any other, under a lease: its blocks are taken over in parts, and
 * closing links them. Those before the short ones at the end never change while the file exists, so that whatever is
 * appended meanwhile, the copy is the file as it was when the last part was taken.
 */
import { withAttributes } from '../attributes.ts';
import { addBlocks, shareBlocks } from '../block-references.ts';
import { currentEra } from '../collection.ts';
import { contentGone, invalidArgument, isADirectory, tooManyBlocks } from '../errors.ts';
import { numberKey } from '../keys.ts';
import { MAX_BLOCKS_PER_COMMAND, MAX_TAIL_BLOCKS } from '../limits.ts';
import { findInode, findPlace } from '../place.ts';
import { needsSteps } from '../replication.ts';
import { grantResult, statResult, toStat } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { CopyBlocks, CopyFile, Inode, Result } from '../schema.ts';
import { blocksFrom } from '../tail-blocks.ts';
import { type ApplyContext, inodeOf, newInode, nextVersion, pathOf, putInode } from '../tree.ts';
import { checkTarget, putFile } from './files.ts';
import { checkLease, extendLease } from './leases.ts';

/**
 * From feature level 3 a file that needs CopyBlocks is refused with NAMESPACE_TOO_MANY_BLOCKS, last of all: who is told so
 * knows that nothing else stands against the copy.
 */
export function copyFile(view: RowView, command: CopyFile, context: ApplyContext): Result {
  const { path, inode: source } = findInode(view, command.from);
  if (source.kind === 'directory') throw isADirectory(path);
  const place = findPlace(view, command.to);
  if (place.existing?.id === source.id)
    throw invalidArgument(`${place.path} cannot be copied onto itself.`, { path: place.path });
  checkTarget(place, { ifAbsent: command.noClobber, ifVersion: 0 });
  if (needsSteps(view, source.blockCount))
    throw tooManyBlocks(path, source.blockCount, MAX_BLOCKS_PER_COMMAND);
  const { replication, blockSizeBytes, tailBlocks, mode } = source;
  const fresh: Inode = { ...newInode(view, 'file', context), replication, blockSizeBytes, tailBlocks };
  const copy = withAttributes(view, fresh, command.attributes && { ...command.attributes, mode });
  return statResult(place.path, putFile(view, place, shareBlocks(view, source, copy), context));
}

/**
 * The grant says what the source has by now. Throws NAMESPACE_NOT_FOUND when it was removed or replaced meanwhile, and
 * NAMESPACE_INVALID_ARGUMENT for a part that does not follow what is there.
 */
export function copyBlocks(view: RowView, command: CopyBlocks, context: ApplyContext): Result {
  const lease = checkLease(view, command, context);
  const copy = inodeOf(view, command.inode);
  const { source, path } = findSource(view, command.from);
  checkFollows(copy, source, command.firstBlock);
  const first = copy.blockCount;
  const end = endOfPart(source, first);
  const blocks = blocksFrom(view, source, first, end);
  // The source refers to them at this very moment, so nobody has collected them, however old they are.
  const copied: Inode = {
    ...addBlocks(view, copy, blocks, currentEra(view.cluster)),
    tailBlocks: end === source.blockCount ? source.tailBlocks : 0,
    mtimeMs: context.timeMs,
    version: nextVersion(view),
  };
  putInode(view, copied);
  return grantResult(copied, extendLease(view, lease, context), toStat(path, source));
}

function findSource(view: RowView, id: number): { readonly source: Inode; readonly path: string } {
  const source = view.get('inode', numberKey(id));
  const path = source?.kind === 'file' && !source.open ? pathOf(view, source) : undefined;
  if (source === undefined || path === undefined) throw contentGone(id);
  return { source, path };
}

function checkFollows(copy: Inode, source: Inode, firstBlock: number): void {
  const { blockCount, blockSizeBytes, sizeBytes } = copy;
  if (copy.appendTo !== 0)
    throw invalidArgument('What is appended to a file is written, not copied.', { inode: copy.id });
  if (firstBlock !== blockCount)
    throw invalidArgument(`The copy has ${blockCount} blocks; copy the next ones after these.`, {
      wanted: blockCount,
      got: firstBlock,
    });
  if (blockSizeBytes !== source.blockSizeBytes)
    throw invalidArgument('A copy has the block size of its source.', {
      wanted: source.blockSizeBytes,
      got: blockSizeBytes,
    });
  if (blockCount > source.blockCount || sizeBytes !== blockCount * blockSizeBytes)
    throw invalidArgument('The copy has come to its end: only full blocks are followed by others.', {
      inode: copy.id,
    });
}

/** Where a part ends that begins at `first`: at the end of the file, or before all that an append may still replace. */
function endOfPart({ blockCount }: Inode, first: number): number {
  const end = first + MAX_BLOCKS_PER_COMMAND;
  return end < blockCount ? Math.min(end, blockCount - MAX_TAIL_BLOCKS) : blockCount;
}
