/** @module What a `get` fetches: which path of the cluster becomes which file of this machine. Directories and links are made on the way. */
import { join } from 'node:path';
import type { Client } from '../src/client/client.ts';
import { isHoldfastError } from '../src/common/errors.ts';
import type { Stat } from '../src/namespace/schema.ts';
import { makeDirectory } from '../src/storage/make-directory.ts';
import { localExists, localFailure, needsRecursive } from './errors.ts';
import { localKind } from './local-kind.ts';
import { makeInnerDirectory, makeLocalLink } from './local-link.ts';
import type { DirectoryTimes } from './local-metadata.ts';
import { baseName } from './remote-path.ts';
import type { Shell } from './shell.ts';

export interface Download {
  readonly path: string;
  readonly target: string;
  /** Undefined for one of several that cannot be looked at. */
  readonly stat: Stat | undefined;
  /** What went wrong already, when it was looked at, or its directory or link was made. */
  readonly failure?: unknown;
}

/** What was named as the target. */
export interface DownloadPlace {
  readonly target: string;
  /** Then everything goes into it. */
  readonly isDirectory: boolean;
}

export interface DownloadOptions extends DownloadPlace {
  readonly flags: { readonly recursive?: boolean; readonly stale?: boolean };
  readonly times: DirectoryTimes;
}

export function targetOf(source: string, { target, isDirectory }: DownloadPlace): string {
  return isDirectory ? join(target, baseName(source)) : target;
}

/** Directories of this machine are made before anything that goes into them. What fails of the only source is thrown. */
export async function* downloads(
  shell: Shell,
  client: Client,
  sources: readonly string[],
  options: DownloadOptions,
): AsyncGenerator<Download> {
  const { flags, times } = options;
  const read = { stale: flags.stale, signal: shell.signal };
  for (const source of sources) {
    const target = targetOf(source, options);
    let stat: Stat;
    try {
      stat = await client.stat(source, read);
      if (stat.kind === 'directory' && !flags.recursive) throw needsRecursive('get', source);
      if (stat.kind === 'directory') await makeLocalDirectory(target);
    } catch (error) {
      if (sources.length === 1 || !isHoldfastError(error) || error.kind !== 'refused') throw error;
      yield { path: source, target, stat: undefined, failure: error };
      continue;
    }
    if (stat.kind === 'directory') {
      times.note(target, stat);
      yield* everythingIn(client.walk(source, read), { source, target, times });
    } else yield { path: source, target, stat };
  }
}

/** Of a directory that cannot be made nothing else is told: what is in its way may be a link that leads elsewhere. */
async function* everythingIn(
  entries: ReturnType<Client['walk']>,
  { source, target, times }: { source: string; target: string; times: DirectoryTimes },
): AsyncGenerator<Download> {
  let missing: string | undefined;
  for await (const { path, stat } of entries) {
    const inside = path.slice(source === '/' ? 0 : source.length);
    if (inside === '' || inside === '/') continue;
    if (missing !== undefined && path.startsWith(`${missing}/`)) continue;
    const item = { path, target: join(target, inside), stat };
    if (stat.kind === 'symlink') yield await withLinkMade(item, stat.linkTarget);
    else if (stat.kind !== 'directory') yield item;
    else {
      try {
        await makeInnerDirectory(item.target);
        times.note(item.target, stat);
      } catch (failure) {
        missing = path;
        yield { ...item, failure };
      }
    }
  }
}

/**
 * Made in the order of the listing, as directories are: of two trees that bring a link and a directory of one name, it is
 * always the later one that is refused.
 */
async function withLinkMade(item: Download, linkTarget: string): Promise<Download> {
  try {
    await makeLocalLink(linkTarget, item.target);
    return item;
  } catch (failure) {
    return { ...item, failure };
  }
}

async function makeLocalDirectory(path: string): Promise<void> {
  try {
    await makeDirectory(path);
  } catch (error) {
    const kind = await localKind(path);
    throw kind === 'file' || kind === 'stream'
      ? localExists(path)
      : localFailure('make the directory', path, error);
  }
}
