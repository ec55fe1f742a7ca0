/** @module Making files and their names survive the loss of power. */
import { open } from 'node:fs/promises';

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

/** True when `error` is a system error with this code, e.g. 'ENOENT'. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
