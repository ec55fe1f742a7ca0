/** @module What `holdfast get` and `cat` do: files of the cluster onto this machine, or to standard output. */
import type { Client } from '../src/client/client.ts';
import { formatBytes } from './byte-size.ts';
import type { CacheFlags } from './cache-options.ts';
import { counted } from './counted.ts';
import { refuseTwins } from './distinct-targets.ts';
import { downloadFile, writeInto } from './download-file.ts';
import { type Download, downloads, targetOf } from './downloads.ts';
import { eachPath } from './each-path.ts';
import { localExists, noEmptyName, usage } from './errors.ts';
import { behindLinks, type LocalKind, localKind } from './local-kind.ts';
import { DirectoryTimes, preserveLocal } from './local-metadata.ts';
import type { ReadFlags } from './options.ts';
import { createProgress, type Progress } from './progress-bar.ts';
import { remotePath } from './remote-path.ts';
import type { Shell } from './shell.ts';
import { transferAll } from './transfer-pool.ts';

export interface GetFlags extends ReadFlags, CacheFlags {
  readonly recursive?: boolean;
  readonly preserve?: boolean;
}

interface TransferContext {
  readonly flags: GetFlags;
  readonly progress: Progress;
  readonly isSingle: boolean;
  /** What the target is that was named. */
  readonly kind: LocalKind;
}

const STDOUT = '-';

export async function getFiles(shell: Shell, paths: readonly string[], flags: GetFlags): Promise<void> {
  // With one name the target is the working directory, as with scp's ".".
  const target = paths.length > 1 ? (paths.at(-1) ?? '.') : '.';
  if (target === '') throw noEmptyName();
  const sources = (paths.length > 1 ? paths.slice(0, -1) : paths).map(remotePath);
  await shell.withReader(flags, async (client) => {
    if (target === STDOUT) {
      if (flags.recursive) throw usage('A tree cannot go to standard output. Name a directory.');
      await writeToOutput(shell, client, sources, flags);
      return;
    }
    const kind = await localKind(target);
    const isDirectory = kind === 'directory';
    if (!isDirectory && (sources.length > 1 || target.endsWith('/')))
      throw usage(`${target} is not a directory of this machine. Make it first, or name another target.`);
    const place = { target, isDirectory };
    refuseTwins(sources, (source) => targetOf(source, place));
    const isSingle = sources.length === 1 && !flags.recursive;
    const progress = createProgress(shell.output, shell.terminal, { label: 'get' });
    const times = new DirectoryTimes();
    const count = await transferAll(
      { output: shell.output, progress },
      downloads(shell, client, sources, { ...place, flags, times }),
      (download) => getOne(shell, client, download, { flags, progress, isSingle, kind }),
      {
        nameOf: ({ path }) => path,
        sizeOf: ({ stat }) => stat?.sizeBytes,
        isSingle,
        signal: shell.signal,
        ...(flags.preserve && { finish: () => times.apply() }),
      },
    );
    if (progress.isDrawn && !isSingle) await shell.output.note(counted(count, 'file'));
  });
}

/** The bytes of the files to stdout, one after the other. A failure in the middle leaves what was written: the exit status tells. */
export async function writeToOutput(
  shell: Shell,
  client: Client,
  paths: readonly string[],
  flags: ReadFlags,
): Promise<void> {
  await eachPath(shell, paths, async (path) => {
    const { bytes } = await client.get(path, { stale: flags.stale, signal: shell.signal });
    for await (const chunk of bytes) {
      shell.signal.throwIfAborted();
      await shell.output.write(chunk);
    }
  });
}

async function getOne(
  shell: Shell,
  client: Client,
  { path, target, stat: found, failure }: Download,
  { flags, progress, isSingle, kind }: TransferContext,
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
  // What was named may be a link, or a device; a tree must not find its way into either.
  const isStream = kind === 'stream';
  const file = kind === 'file' ? await behindLinks(target) : target;
  await (isStream ? writeInto : downloadFile)(bytes, file, { signal: shell.signal });
  if (flags.preserve && !isStream) await preserveLocal(file, stat);
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
