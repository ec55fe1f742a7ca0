/** @module Files and directories of this machine, as `put` walks them. */
import type { Stats } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { localFailure } from './errors.ts';

/** Mode (permission bits) and modification time (milliseconds since the epoch), where they are known. */
export interface LocalAttributes {
  readonly mode?: number;
  readonly mtimeMs?: number;
}

interface Named {
  readonly path: string;
  readonly relative: string;
}

const PERMISSION_BITS = 0o7777;

export type LocalEntry =
  | ({ readonly kind: 'directory' } & Named & LocalAttributes)
  | ({ readonly kind: 'file'; readonly sizeBytes: number | undefined } & Named & LocalAttributes)
  | ({ readonly kind: 'symlink'; readonly target: string } & Named)
  /** Cannot be stored: a socket, a device. */
  | ({ readonly kind: 'skipped'; readonly reason: string } & Named)
  /** Could not be looked at, listed, or made in the cluster. */
  | ({ readonly kind: 'failed'; readonly failure: unknown } & Named);

/** What `path` is, links followed. Errors: CLI_LOCAL_NOT_FOUND, CLI_LOCAL_FAILED. */
export async function localEntry(path: string): Promise<LocalEntry> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return { kind: 'directory', path, relative: '', ...attributesOf(found) };
    // Pipes and devices that a person names are read to their end; how much that is nobody knows before.
    if (!found.isFile()) return { kind: 'file', path, relative: '', sizeBytes: undefined };
    return { kind: 'file', path, relative: '', sizeBytes: found.size, ...attributesOf(found) };
  } catch (error) {
    throw localFailure('read', path, error);
  }
}

/** The name a source gets inside a target directory; that of the directory itself for '.' and '..'. */
export function localName(path: string): string {
  return basename(resolve(path));
}

/**
 * Everything below a directory, parents first, links not followed, in the order of names. `relative` has '/' between its parts.
 * A directory below that cannot be listed comes a second time, as failed. Errors: CLI_LOCAL_FAILED of the first one.
 */
export async function* walkLocal(directory: string, relative = ''): AsyncGenerator<LocalEntry> {
  const entries = await readDirectory(directory);
  for (const entry of entries.toSorted((left, right) => (left.name < right.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    const inside = relative === '' ? entry.name : `${relative}/${entry.name}`;
    const described = await describe(path, inside);
    yield described;
    if (described.kind === 'directory') yield* walkBelow(path, inside);
  }
}

async function* walkBelow(path: string, relative: string): AsyncGenerator<LocalEntry> {
  try {
    yield* walkLocal(path, relative);
  } catch (failure) {
    yield { kind: 'failed', path, relative, failure };
  }
}

async function describe(path: string, relative: string): Promise<LocalEntry> {
  try {
    const found = await lstat(path);
    if (found.isDirectory()) return { kind: 'directory', path, relative, ...attributesOf(found) };
    if (found.isFile())
      return { kind: 'file', path, relative, sizeBytes: found.size, ...attributesOf(found) };
    if (!found.isSymbolicLink()) return { kind: 'skipped', path, relative, reason: 'it is no regular file' };
    const target = await readlink(path);
    // The system's target was other bytes, which became U+FFFD when they were read as text.
    if (target.includes('\uFFFD'))
      return { kind: 'skipped', path, relative, reason: 'it is a link to what is no name in UTF-8' };
    return { kind: 'symlink', path, relative, target };
  } catch {
    // It has just gone, or has no name in UTF-8. Opening it as a file lets the real reason be told with its name.
    return { kind: 'file', path, relative, sizeBytes: undefined };
  }
}

function attributesOf({ mode, mtimeMs }: Stats): LocalAttributes {
  return { mode: mode & PERMISSION_BITS, mtimeMs: Math.round(mtimeMs) };
}

async function readDirectory(path: string): Promise<import('node:fs').Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    throw localFailure('read', path, error);
  }
}
