/** @module A directory and those above it. Node's own recursive mkdir never ends where a file system makes none (/proc). */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError } from './durable-file.ts';

/**
 * Makes `path` and what lacks above it, with the permissions `mode`; a directory that is there is left as it is.
 * Rejects with system errors (`ENOENT` where the file system makes no directories, `EEXIST` or `ENOTDIR` where a file is in the way).
 */
export async function makeDirectory(path: string, mode: number = 0o777): Promise<void> {
  try {
    await makeOne(path, mode);
  } catch (error) {
    const above = dirname(path);
    if (!isSystemError(error, 'ENOENT') || above === path) throw error;
    await makeDirectory(above, mode);
    await makeOne(path, mode);
  }
}

async function makeOne(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (!(await isDirectory(path))) throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // What kept mkdir from making it says more.
    return false;
  }
}
