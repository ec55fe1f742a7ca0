/** @module What `holdfast put` does: which local file goes to which path, and its way there. */
import { createReadStream } from 'node:fs';
import type { Client } from '../src/client/client.ts';
import type { PutOptions, PutSource } from '../src/client/client-options.ts';
import { isHoldfastError } from '../src/common/errors.ts';
import { formatBytes } from './byte-size.ts';
import { counted } from './counted.ts';
import { localFailure, needsRecursive, noParent, notADirectory, usage } from './errors.ts';
import { type LocalEntry, localEntry, localName, walkLocal } from './local-tree.ts';
import type { ClientFlags } from './options.ts';
import { printable } from './output.ts';
import { createProgress, type Progress } from './progress-bar.ts';
import { kindAt } from './remote-kind.ts';
import { joinPath, parseRemotePath } from './remote-path.ts';
import type { Shell } from './shell.ts';
import { transferAll } from './transfer-pool.ts';

export interface PutFlags extends ClientFlags {
  readonly recursive?: boolean;
  readonly replication?: number;
  readonly blockSize?: number;
  readonly ifAbsent?: boolean;
  readonly ifVersion?: number;
  readonly parents?: boolean;
}

interface Upload {
  readonly entry: LocalEntry;
  readonly target: string;
}

interface TransferContext {
  readonly flags: PutFlags;
  readonly progress: Progress;
  readonly isSingle: boolean;
}

const STDIN = '-';
const READ_CHUNK_BYTES = 1024 * 1024;

export async function putFiles(shell: Shell, paths: readonly string[], flags: PutFlags): Promise<void> {
  const last = paths.at(-1);
  const sources = paths.slice(0, -1);
  if (last === undefined || sources.length === 0)
    throw usage('Name at least one source and a target in the cluster.');
  if (flags.ifVersion !== undefined && (sources.length > 1 || flags.recursive))
    throw usage('--if-version speaks of one file; put one file at a time.');
  const target = parseRemotePath(last);
  await shell.withClient(flags, async (client) => {
    const isDirectory =
      (await kindAt(client, target.path, shell.signal)) === 'directory' ||
      (target.isDirectory && flags.parents === true);
    if (!isDirectory && (sources.length > 1 || target.isDirectory)) throw notADirectory(target.path);
    const isSingle = sources.length === 1 && !flags.recursive;
    const progress = createProgress(shell.output, shell.terminal, { label: 'put' });
    const count = await transferAll(
      { output: shell.output, progress },
      uploads(shell, client, sources, { target: target.path, isDirectory, flags }),
      (upload) => putOne(shell, client, upload, { flags, progress, isSingle }),
      {
        nameOf: ({ entry }) => entry.path,
        isSingle,
        signal: shell.signal,
      },
    );
    if (progress.isDrawn && !isSingle) await shell.output.note(counted(count, 'file'));
  });
}

/** Directories are made on the way, before anything that goes into them. */
async function* uploads(
  shell: Shell,
  client: Client,
  sources: readonly string[],
  options: { readonly target: string; readonly isDirectory: boolean; readonly flags: PutFlags },
): AsyncGenerator<Upload> {
  const { target, isDirectory, flags } = options;
  for (const source of sources) {
    if (source === STDIN) {
      if (isDirectory)
        throw usage(`Standard input has no name. Say which file: holdfast put - ${joinPath(target, 'NAME')}`);
      yield { entry: { kind: 'file', path: STDIN, relative: '', sizeBytes: undefined }, target };
      continue;
    }
    const entry = await entryOf(source, sources.length > 1);
    const to = isDirectory ? joinPath(target, localName(source)) : target;
    if (entry.kind !== 'directory') {
      yield { entry, target: to };
      continue;
    }
    if (!flags.recursive) throw needsRecursive('put', source);
    await client.mkdir(to, { parents: true, signal: shell.signal });
    for await (const inside of walkLocal(source)) {
      const path = `${to === '/' ? '' : to}/${inside.relative}`;
      if (inside.kind === 'directory') await client.mkdir(path, { parents: true, signal: shell.signal });
      else yield { entry: inside, target: path };
    }
  }
}

/** One of several that cannot be looked at is left to fail when it is opened, so that the others go on. */
async function entryOf(source: string, isOneOfSeveral: boolean): Promise<LocalEntry> {
  try {
    return await localEntry(source);
  } catch (error) {
    if (!isOneOfSeveral) throw error;
    return { kind: 'file', path: source, relative: '', sizeBytes: undefined };
  }
}

async function putOne(
  shell: Shell,
  client: Client,
  { entry, target }: Upload,
  { flags, progress, isSingle }: TransferContext,
): Promise<void> {
  if (entry.kind === 'skipped') return shell.output.warn(`skipped ${entry.path}: ${entry.reason}`);
  const sizeBytes = entry.kind === 'file' ? entry.sizeBytes : undefined;
  if (sizeBytes !== undefined) progress.expect(sizeBytes);
  const options: PutOptions = {
    sizeBytes,
    replication: flags.replication,
    blockSizeBytes: flags.blockSize,
    ifAbsent: flags.ifAbsent,
    ifVersion: flags.ifVersion,
    parents: flags.parents,
    onProgress: ({ doneBytes }) => progress.update(entry.path, doneBytes),
    signal: shell.signal,
  };
  const { stat, copies, underReplicatedBlocks } = await client
    .put(target, sourceOf(shell, entry.path), options)
    .catch((error: unknown) => {
      // The file itself need not be there, so it is a directory on the way to it.
      throw isHoldfastError(error, 'NAMESPACE_NOT_FOUND') ? noParent(target, error) : error;
    });
  const value = { source: entry.path, path: target, ...pick(stat), copies, underReplicatedBlocks };
  if (isSingle) progress.stop();
  if (isSingle || !progress.isDrawn) {
    await shell.output.result(value, () => `${printable(target)}  ${formatBytes(stat.sizeBytes)}`);
  }
  if (underReplicatedBlocks > 0)
    shell.output.warn(
      `${target}: ${counted(underReplicatedBlocks, 'block')} with only ${copies} of ${stat.replication} copies, since too few datanodes could take more.`,
    );
}

function pick(stat: {
  sizeBytes: number;
  version: number;
  replication: number;
  blockCount: number;
  mtimeMs: number;
}): object {
  const { sizeBytes, version, replication, blockCount, mtimeMs } = stat;
  return { sizeBytes, version, replication, blockCount, mtimeMs };
}

async function* sourceOf(shell: Shell, path: string): PutSourceChunks {
  if (path === STDIN) return yield* shell.terminal.stdin as AsyncIterable<Uint8Array>;
  try {
    yield* createReadStream(path, {
      highWaterMark: READ_CHUNK_BYTES,
      signal: shell.signal,
    }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    shell.signal.throwIfAborted();
    throw localFailure('read', path, error);
  }
}

type PutSourceChunks = AsyncGenerator<Uint8Array> & Exclude<PutSource, Uint8Array>;
