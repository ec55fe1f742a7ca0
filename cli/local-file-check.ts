/** @module Files of this machine that a long run needs: looked at before it begins, not when hours are over. */
import { access, constants, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { localFailure } from './errors.ts';

/** Errors: CLI_LOCAL_NOT_FOUND, CLI_LOCAL_FAILED. */
export async function checkReadable(path: string): Promise<void> {
  try {
    await using file = await open(path);
    // A directory can be opened, and not be read.
    if ((await file.stat()).isDirectory()) throw isDirectory(path);
  } catch (error) {
    throw localFailure('read', path, error);
  }
}

/** Leaves nothing behind where there is no file yet. Errors: CLI_LOCAL_NOT_FOUND (its directory), CLI_LOCAL_FAILED. */
export async function checkWritable(path: string): Promise<void> {
  try {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (found?.isDirectory()) throw isDirectory(path);
    await access(found === undefined ? dirname(path) : path, constants.W_OK);
  } catch (error) {
    throw localFailure('write', path, error);
  }
}

function isDirectory(path: string): Error {
  return Object.assign(new Error(`${path} is a directory`), { code: 'EISDIR' });
}
