/** @module What, if anything, is at a path of this machine. */
import { realpath, stat } from 'node:fs/promises';
import { localFailure } from './errors.ts';

/** `stream`: a device, pipe or socket, which takes bytes and does not keep them. Undefined: there is nothing. */
export type LocalKind = 'directory' | 'file' | 'stream' | undefined;

/** Links are followed. Errors: CLI_LOCAL_FAILED. */
export async function localKind(path: string): Promise<LocalKind> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return 'directory';
    return found.isFile() ? 'file' : 'stream';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw localFailure('look at', path, error);
  }
}

/** Where the links at `path` lead, which has something there. Errors: CLI_LOCAL_FAILED, CLI_LOCAL_NOT_FOUND. */
export async function behindLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    throw localFailure('write', path, error);
  }
}
