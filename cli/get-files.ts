/** @module What `holdfast get` and `cat` do: which path becomes which local file. */
import { stat as statLocal } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '../src/client/client.ts';
import type { Stat } from '../src/namespace/schema.ts';
import { isHoldfastError } from '../src/common/errors.ts';
import { makeDirectory } from '../src/storage/make-directory.ts';
import { formatBytes } from './byte-size.ts';
import type { CacheFlags } from './cache-options.ts';
import { counted } from './counted.ts';
import { downloadFile } from './download-file.ts';
import { localExists, localFailure, needsRecursive, usage } from './errors.ts';
import { makeInnerDirectory, makeLocalLink } from './local-link.ts';
import { DirectoryTimes, preserveLocal } from './local-metadata.ts';
import type { ReadFlags } from './options.ts';
import { createProgress, type Progress } from './progress-bar.ts';
import { baseName, remotePath } from './remote-path.ts';
import type { Shell } from './shell.ts';
import { transferAll } from './transfer-pool.ts';

export interface GetFlags extends ReadFlags, CacheFlags {
  readonly recursive?: boolean;
  readonly preserve?: boolean;
}

interface Download {
  readonly path: string;
  readonly target: string;
  /** Undefined for one of several that is not there. */
  readonly stat: Stat | undefined;
  /** What went wrong already, when its link was made. */
  readonly failure?: unknown;
}

interface TransferContext {
  readonly flags: GetFlags;
  readonly progress: Progress;
  readonly isSingle: boolean;
}

const STDOUT = '-';

export async function getFiles(shell: Shell, paths: readonly string[], flags: GetFlags): Promise<void> {
  // With one name the target is the working directory, as with scp's ".".
  const target = paths.length > 1 ? (paths.at(-1) ?? '.') : '.';
  const sources = (paths.length > 1 ? paths.slice(0, -1) : paths).map(remotePath);
  await shell.withReader(flags, async (client) => {
    if (target === STDOUT) {
      if (flags.recursive) throw usage('A tree cannot go to standard output. Name a directory.');
      for (const source of sources) await writeToOutput(shell, client, source, flags);
      return;
    }
    const isDirectory = (await localKind(target)) === 'directory';
    if (!isDirectory && (sources.length > 1 || target.endsWith('/')))
      throw usage(`${target} is not a directory of this machine. Make it first, or name another target.`);
    const isSingle = sources.length === 1 && !flags.recursive;
    const progress = createProgress(shell.output, shell.terminal, { label: 'get' });
    const times = new DirectoryTimes();
    const count = await transferAll(
      { output: shell.output, progress },
      withLinksMade(downloads(shell, client, sources, { target, isDirectory, flags, times })),
      (download) => getOne(shell, client, download, { flags, progress, isSingle }),
      {
        nameOf: ({ path }) => path,
        sizeOf: ({ stat }) => stat?.sizeBytes,
        isSingle,
        signal: shell.signal,
      },
    );
    if (flags.preserve) await times.apply();
    if (progress.isDrawn && !isSingle) await shell.output.note(counted(count, 'file'));
  });
}

/** The bytes of one file to stdout. A failure in the middle leaves what was written: the exit status tells. */
export async function writeToOutput(
  shell: Shell,
  client: Client,
  path: string,
  flags: ReadFlags,
): Promise<void> {
  const { bytes } = await client.get(path, { stale: flags.stale, signal: shell.signal });
  for await (const chunk of bytes) {
    shell.signal.throwIfAborted();
    await shell.output.write(chunk);
  }
}

/** Local directories are made on the way, before anything that goes into them. */
async function* downloads(
  shell: Shell,
  client: Client,
  sources: readonly string[],
  options: {
    readonly target: string;
    readonly isDirectory: boolean;
    readonly flags: GetFlags;
    readonly times: DirectoryTimes;
  },
): AsyncGenerator<Download> {
  const { target, isDirectory, flags, times } = options;
  const read = { stale: flags.stale, signal: shell.signal };
  for (const source of sources) {
    const stat = await client.stat(source, read).catch((error: unknown) => {
      // One of several that is not there is left to fail when it is read, so that the others go on.
      if (sources.length === 1 || !isHoldfastError(error, 'NAMESPACE_NOT_FOUND')) throw error;
      return undefined;
    });
    const to = isDirectory ? join(target, baseName(source)) : target;
    if (stat?.kind !== 'directory') {
      yield { path: source, target: to, stat };
      continue;
    }
    if (!flags.recursive) throw needsRecursive('get', source);
    await makeLocalDirectory(to);
    times.note(to, stat);
    for await (const entry of client.walk(source, read)) {
      const inside = entry.path.slice(source === '/' ? 0 : source.length);
      if (inside === '' || inside === '/') continue;
      const local = join(to, inside);
      if (entry.stat.kind === 'directory') {
        await makeInnerDirectory(local);
        times.note(local, entry.stat);
      } else yield { path: entry.path, target: local, stat: entry.stat };
    }
  }
}

/**
 * Links are made in the order of the listing, as directories are: of two trees that bring a link and a directory of one
 * name, it is always the later one that is refused.
 */
async function* withLinksMade(items: AsyncIterable<Download>): AsyncGenerator<Download> {
  for await (const item of items) {
    if (item.stat?.kind !== 'symlink') yield item;
    else
      yield await makeLocalLink(item.stat.linkTarget, item.target).then(
        () => item,
        (failure: unknown) => ({ ...item, failure }),
      );
  }
}

async function getOne(
  shell: Shell,
  client: Client,
  { path, target, stat: found, failure }: Download,
  { flags, progress, isSingle }: TransferContext,
): Promise<void> {
  if (failure !== undefined) throw failure;
  if (found?.kind === 'symlink') return reportLink(shell, path, target, found.linkTarget, progress);
  if ((await localKind(target)) === 'directory') throw localExists(target);
  progress.expect(found?.sizeBytes ?? 0);
  const { stat, bytes } = await client.get(path, {
    stale: flags.stale,
    signal: shell.signal,
    onProgress: ({ doneBytes }) => progress.update(path, doneBytes),
    transient: true,
  });
  await downloadFile(bytes, target, { signal: shell.signal });
  if (flags.preserve) await preserveLocal(target, stat);
  if (isSingle) progress.stop();
  if (isSingle || !progress.isDrawn) {
    const value = { path, target, sizeBytes: stat.sizeBytes, version: stat.version };
    await shell.output.result(value, () => `${target}  ${formatBytes(stat.sizeBytes)}`);
  }
}

async function reportLink(
  shell: Shell,
  path: string,
  target: string,
  linkTarget: string,
  progress: Progress,
): Promise<void> {
  if (!progress.isDrawn)
    await shell.output.result({ path, target, linkTarget }, () => `${target} -> ${linkTarget}`);
}

async function localKind(path: string): Promise<'directory' | 'other' | undefined> {
  try {
    return (await statLocal(path)).isDirectory() ? 'directory' : 'other';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw localFailure('look at', path, error);
  }
}

async function makeLocalDirectory(path: string): Promise<void> {
  try {
    await makeDirectory(path);
  } catch (error) {
    throw (await localKind(path)) === 'other'
      ? localExists(path)
      : localFailure('make the directory', path, error);
  }
}
