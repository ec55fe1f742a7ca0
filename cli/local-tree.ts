/** @module Files and directories of this machine, as `put` walks them. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { localFailure } from './errors.ts';

export type LocalEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly relative: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly relative: string;
      readonly sizeBytes: number | undefined;
    }
  /** Cannot be stored: a socket, a device, a link that leads nowhere or to a directory. */
  | { readonly kind: 'skipped'; readonly path: string; readonly relative: string; readonly reason: string };

/** What `path` is, links followed. Errors: CLI_LOCAL_NOT_FOUND, CLI_LOCAL_FAILED. */
export async function localEntry(path: string): Promise<LocalEntry> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return { kind: 'directory', path, relative: '' };
    // Pipes and devices that a person names are read to their end; how much that is nobody knows before.
    return { kind: 'file', path, relative: '', sizeBytes: found.isFile() ? found.size : undefined };
  } catch (error) {
    throw localFailure('read', path, error);
  }
}

/** The name a source gets inside a target directory; that of the directory itself for '.' and '..'. */
export function localName(path: string): string {
  return basename(resolve(path));
}

/** Everything below a directory, parents first, in the order of names. `relative` has '/' between its parts. */
export async function* walkLocal(directory: string, relative = ''): AsyncGenerator<LocalEntry> {
  const entries = await readDirectory(directory);
  for (const entry of entries.toSorted((left, right) => (left.name < right.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    const inside = relative === '' ? entry.name : `${relative}/${entry.name}`;
    if (entry.isDirectory()) {
      yield { kind: 'directory', path, relative: inside };
      yield* walkLocal(path, inside);
    } else yield await describeFile(path, inside);
  }
}

async function describeFile(path: string, relative: string): Promise<LocalEntry> {
  try {
    const found = await stat(path);
    if (found.isFile()) return { kind: 'file', path, relative, sizeBytes: found.size };
    const reason = found.isDirectory() ? 'a link to a directory is not followed' : 'it is no regular file';
    return { kind: 'skipped', path, relative, reason };
  } catch {
    // A broken link, or a file that has just gone. Opening it as a file lets the real reason be told with its name.
    return { kind: 'file', path, relative, sizeBytes: undefined };
  }
}

async function readDirectory(path: string): Promise<import('node:fs').Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    throw localFailure('read', path, error);
  }
}
