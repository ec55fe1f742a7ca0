/** @module Symbolic links and directories of this machine that `get` makes, without ever writing through a link. */
import { randomUUID } from 'node:crypto';
import { lstat, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { localExists, localFailure } from './errors.ts';

/** Makes a link at `path`, replacing a file or link there in one step. Errors: CLI_LOCAL_EXISTS for a directory. */
export async function makeLocalLink(target: string, path: string): Promise<void> {
  if ((await kindOf(path)) === 'directory') throw localExists(path);
  const temporary = join(dirname(path), `.holdfast-${randomUUID()}.part`);
  try {
    await symlink(target, temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    // Another process made it after the look.
    throw isInTheWay(error) ? localExists(path) : localFailure('write', path, error);
  }
}

/**
 * Makes a directory inside of one that was made before. Refuses a link that stands there (CLI_LOCAL_EXISTS): a tree could
 * otherwise bring a link to elsewhere first and then files that go through it.
 */
export async function makeInnerDirectory(path: string): Promise<void> {
  const kind = await kindOf(path);
  if (kind === 'directory') return;
  if (kind !== undefined) throw localExists(path);
  try {
    await mkdir(path);
  } catch (error) {
    throw isInTheWay(error) ? localExists(path) : localFailure('make the directory', path, error);
  }
}

function isInTheWay(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EEXIST' || error.code === 'EISDIR');
}

async function kindOf(path: string): Promise<'directory' | 'other' | undefined> {
  try {
    return (await lstat(path)).isDirectory() ? 'directory' : 'other';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw localFailure('look at', path, error);
  }
}
