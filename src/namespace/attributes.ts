/** @module Owner, group and mode of an inode: stored and shown, enforced by nobody yet. Kept from feature level 2. */
import { invalidArgument } from './errors.ts';
import { hasLevel } from './feature-level.ts';
import { MAX_MODE, MAX_OWNER_BYTES } from './limits.ts';
import type { RowView } from './row-view.ts';
import type { Attributes, Inode } from './schema.ts';

/** An inode of the same content with what its maker said of it; as it is below level 2, whose nodes would not keep it. */
export function withAttributes(view: RowView, inode: Inode, attributes: Attributes | undefined): Inode {
  if (attributes === undefined || !hasLevel(view, 2)) return inode;
  checkAttributes(attributes);
  const { owner, group, mode } = attributes;
  return { ...inode, owner, group, mode };
}

/** As writing over a file does everywhere: it stays its owner's, and keeps its mode unless the writer names one. */
export function keepAttributes(replaced: Inode | undefined, inode: Inode): Inode {
  if (replaced === undefined) return inode;
  const mode = inode.mode ?? replaced.mode;
  return { ...inode, owner: replaced.owner || inode.owner, group: replaced.group || inode.group, mode };
}

/** Throws NAMESPACE_INVALID_ARGUMENT. */
export function checkAttributes(attributes: Attributes): void {
  for (const name of [attributes.owner, attributes.group]) checkOwner(name);
  const { mode = 0 } = attributes;
  if (mode > MAX_MODE)
    throw invalidArgument(`A mode is 0 to ${MAX_MODE.toString(8)} (octal).`, { got: mode });
}

function checkOwner(name: string): void {
  if (Buffer.byteLength(name) <= MAX_OWNER_BYTES && name.isWellFormed() && !/[\p{Cc}:]/u.test(name)) return;
  throw invalidArgument(
    `The name of a user or group has at most ${MAX_OWNER_BYTES} bytes, no colon and no control characters.`,
  );
}
