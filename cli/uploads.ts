/** @module What a `put` stores: which file of this machine goes to which path. Directories are made on the way. */
import type { Client } from '../src/client/client.ts';
import { isHoldfastError } from '../src/common/errors.ts';
import { needsRecursive, noEmptyName } from './errors.ts';
import { type LocalAttributes, type LocalEntry, localEntry, localName, walkLocal } from './local-tree.ts';
import { joinPath } from './remote-path.ts';
import type { Shell } from './shell.ts';

export interface Upload {
  readonly entry: LocalEntry;
  readonly target: string;
}

/** A directory whose mode and time are to be those of the local one. */
export interface MadeDirectory extends LocalAttributes {
  readonly path: string;
}

/** What was named as the target. */
export interface UploadPlace {
  readonly target: string;
  /** Then everything goes into it. */
  readonly isDirectory: boolean;
}

export interface UploadOptions extends UploadPlace {
  readonly flags: { readonly recursive?: boolean; readonly preserve?: boolean };
  /** Gets what is made with --preserve, parents first. */
  readonly made: MadeDirectory[];
}

/** As a source: standard input. */
export const STDIN = '-';

export function targetOf(source: string, { target, isDirectory }: UploadPlace): string {
  return isDirectory && source !== STDIN ? joinPath(target, localName(source)) : target;
}

/** Directories are made before anything that goes into them. What fails of the only source is thrown. */
export async function* uploads(
  shell: Shell,
  client: Client,
  sources: readonly string[],
  options: UploadOptions,
): AsyncGenerator<Upload> {
  for (const source of sources) {
    const target = targetOf(source, options);
    let entry: LocalEntry;
    try {
      entry = await entryOf(source);
      if (entry.kind === 'directory' && !options.flags.recursive) throw needsRecursive('put', source);
      if (entry.kind === 'directory') await makeDirectory(shell, client, target, entry, options);
    } catch (failure) {
      if (sources.length === 1 || !isRefusal(failure)) throw failure;
      yield { entry: { kind: 'failed', path: source, relative: '', failure }, target };
      continue;
    }
    if (entry.kind === 'directory') yield* everythingIn(shell, client, entry.path, target, options);
    else yield { entry, target };
  }
}

/** Of a directory that cannot be made nothing else is told. */
async function* everythingIn(
  shell: Shell,
  client: Client,
  directory: string,
  target: string,
  options: UploadOptions,
): AsyncGenerator<Upload> {
  let missing: string | undefined;
  for await (const entry of walkLocal(directory)) {
    const { path, relative } = entry;
    if (missing !== undefined && relative.startsWith(`${missing}/`)) continue;
    const to = joinPath(target, relative);
    if (entry.kind !== 'directory') yield { entry, target: to };
    else {
      try {
        await makeDirectory(shell, client, to, entry, options);
      } catch (failure) {
        if (!isRefusal(failure)) throw failure;
        missing = relative;
        yield { entry: { kind: 'failed', path, relative, failure }, target: to };
      }
    }
  }
}

async function entryOf(source: string): Promise<LocalEntry> {
  if (source === '') throw noEmptyName();
  if (source !== STDIN) return localEntry(source);
  return { kind: 'file', path: STDIN, relative: '', sizeBytes: undefined };
}

async function makeDirectory(
  { signal }: Shell,
  client: Client,
  path: string,
  { mode, mtimeMs }: LocalAttributes,
  { flags, made }: UploadOptions,
): Promise<void> {
  await client.mkdir(path, { parents: true, signal });
  if (flags.preserve && mode !== undefined && mtimeMs !== undefined) made.push({ path, mode, mtimeMs });
}

/** Of this one, and not of whatever comes after it. */
function isRefusal(error: unknown): boolean {
  return isHoldfastError(error) && error.kind === 'refused';
}
