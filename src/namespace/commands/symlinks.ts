/** @module Symbolic links: a name that leads on to a path, which need not exist. */
import { withAttributes } from '../attributes.ts';
import { exists, invalidArgument } from '../errors.ts';
import { MAX_LINK_TARGET_BYTES } from '../limits.ts';
import { findPlace, linkOver } from '../place.ts';
import { statResult } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { MakeSymlink, Result } from '../schema.ts';
import { type ApplyContext, newInode } from '../tree.ts';

/** Refuses a place that is taken (NAMESPACE_EXISTS). The target is kept as it is; relative ones start at the link. */
export function makeSymlink(view: RowView, command: MakeSymlink, context: ApplyContext): Result {
  const { target } = command;
  checkLinkTarget(target);
  const place = findPlace(view, command.path, 'keep');
  if (place.existing !== undefined) throw exists(place.path);
  const inode = { ...newInode(view, 'symlink', context), linkTarget: target };
  return statResult(
    place.path,
    linkOver(view, place, withAttributes(view, inode, command.attributes), context),
  );
}

/** Throws NAMESPACE_INVALID_ARGUMENT. */
export function checkLinkTarget(target: string): void {
  const bytes = Buffer.byteLength(target);
  if (bytes === 0 || bytes > MAX_LINK_TARGET_BYTES || target.includes('\0') || !target.isWellFormed())
    throw invalidArgument(
      `The target of a symbolic link is 1 to ${MAX_LINK_TARGET_BYTES} bytes of well-formed Unicode without NUL.`,
      { got: bytes },
    );
}
