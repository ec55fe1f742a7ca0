/** @module Making files and their names survive the loss of power. */
import { open } from 'node:fs/promises';
import { constants } from 'node:os';

/** EUCLEAN, of XFS and ext4: Node has no name for it. */
const UNCLEAN = 117;
const DAMAGED: readonly number[] = [constants.errno.EBADMSG, UNCLEAN];

/** fsyncs the file at `path`. */
export async function syncFile(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

/** fsyncs a directory, so that names made, renamed or removed in it are durable. */
export async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

/** True when what lies there cannot be read: a bad sector, or a file system that finds its own checksums wrong. */
export function isUnreadable(error: unknown): boolean {
  if (isSystemError(error, 'EIO')) return true;
  return error instanceof Error && 'errno' in error && DAMAGED.includes(-Number(error.errno));
}

/** True when this process, or the machine, has too many files open: nothing has been written, and it passes. */
export function isOutOfHandles(error: unknown): boolean {
  return isSystemError(error, 'EMFILE') || isSystemError(error, 'ENFILE');
}

/** True when `error` is a system error with this code, e.g. 'ENOENT'. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
