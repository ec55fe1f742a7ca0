/** @module What `holdfast put` does with each file of this machine. */
import { open } from 'node:fs/promises';
import type { Client } from '../src/client/client.ts';
import type { AckMode, PutOptions, PutSource } from '../src/client/client-options.ts';
import { isHoldfastError } from '../src/common/errors.ts';
import { formatBytes } from './byte-size.ts';
import { counted } from './counted.ts';
import { refuseTwins } from './distinct-targets.ts';
import { localFailure, noParent, notADirectory, usage } from './errors.ts';
import { readFile, readInput } from './file-source.ts';
import type { ClientFlags } from './options.ts';
import { printable } from './output.ts';
import { createProgress, type Progress } from './progress-bar.ts';
import { putLink } from './put-link.ts';
import { kindAt } from './remote-kind.ts';
import { joinPath, parseRemotePath } from './remote-path.ts';
import type { Shell } from './shell.ts';
import { SMALL_FILE_BYTES, transferAll } from './transfer-pool.ts';
import { type MadeDirectory, STDIN, targetOf, type Upload, uploads } from './uploads.ts';

export interface PutFlags extends ClientFlags {
  readonly recursive?: boolean;
  readonly replication?: number;
  readonly blockSize?: number;
  readonly ifAbsent?: boolean;
  readonly ifVersion?: number;
  readonly parents?: boolean;
  readonly preserve?: boolean;
  readonly append?: boolean;
  readonly ack?: AckMode;
}

interface TransferContext {
  readonly flags: PutFlags;
  readonly progress: Progress;
  readonly isSingle: boolean;
}

export async function putFiles(shell: Shell, paths: readonly string[], flags: PutFlags): Promise<void> {
  const last = paths.at(-1);
  const sources = paths.slice(0, -1);
  if (last === undefined || sources.length === 0)
    throw usage('Name at least one source and a target in the cluster.');
  if (flags.ifVersion !== undefined && (sources.length > 1 || flags.recursive))
    throw usage('--if-version speaks of one file; put one file at a time.');
  if (flags.append && (flags.recursive || flags.ifAbsent))
    throw usage('--append adds to files; it does not go together with --recursive or --if-absent.');
  if (flags.append && (flags.replication !== undefined || flags.blockSize !== undefined))
    throw usage('A file keeps its replication and block size; --append takes neither.');
  const target = parseRemotePath(last);
  await shell.withClient(flags, async (client) => {
    const kind = await kindAt(client, target.path, shell.signal);
    const isMade = kind === undefined && target.isDirectory && flags.parents === true;
    const isDirectory = kind === 'directory' || isMade;
    if (!isDirectory && (sources.length > 1 || target.isDirectory)) throw notADirectory(target.path, kind);
    if (isDirectory && sources.includes(STDIN))
      throw usage(
        `Standard input has no name. Say which file: holdfast put - ${joinPath(target.path, 'NAME')}`,
      );
    const place = { target: target.path, isDirectory };
    refuseTwins(sources, (source) => targetOf(source, place));
    const isSingle = sources.length === 1 && !flags.recursive;
    const progress = createProgress(shell.output, shell.terminal, { label: 'put' });
    // Their times are set once the last file has come into them.
    const made: MadeDirectory[] = [];
    const count = await transferAll(
      { output: shell.output, progress },
      withoutSkipped(shell, uploads(shell, client, sources, { ...place, flags, made }), progress),
      (upload) => putOne(shell, client, upload, { flags, progress, isSingle }),
      {
        nameOf: ({ entry }) => entry.path,
        sizeOf: ({ entry }) => (entry.kind === 'file' ? entry.sizeBytes : 0),
        isSingle,
        signal: shell.signal,
        finish: async () => {
          for (const { path, mode, mtimeMs } of made.toReversed())
            await client.setAttributes(path, { mode, mtimeMs }, { signal: shell.signal });
        },
      },
    );
    if (progress.isDrawn && !isSingle) await shell.output.note(counted(count, 'file'));
  });
}

/** Of what cannot be stored is said so; it is none of the files. */
async function* withoutSkipped(
  shell: Shell,
  items: AsyncIterable<Upload>,
  progress: Progress,
): AsyncGenerator<Upload> {
  for await (const item of items) {
    const { entry } = item;
    if (entry.kind !== 'skipped') yield item;
    else progress.aside(() => shell.output.warn(`skipped ${printable(entry.path)}: ${entry.reason}`));
  }
}

async function putOne(
  shell: Shell,
  client: Client,
  { entry, target }: Upload,
  { flags, progress, isSingle }: TransferContext,
): Promise<void> {
  if (entry.kind === 'failed') throw entry.failure;
  const { signal } = shell;
  if (entry.kind === 'symlink') {
    await putLink(client, entry.target, target, { ifAbsent: flags.ifAbsent ?? false, signal });
    const link = { source: entry.path, path: target, target: entry.target };
    if (!progress.isDrawn) await shell.output.result(link, () => `${target} -> ${entry.target}`);
    return;
  }
  const file = entry.kind === 'file' ? entry : undefined;
  const sizeBytes = file?.sizeBytes;
  if (sizeBytes !== undefined) progress.expect(sizeBytes);
  const options: PutOptions = {
    sizeBytes,
    replication: flags.replication,
    ack: flags.ack,
    blockSizeBytes: flags.blockSize,
    ifAbsent: flags.ifAbsent,
    ifVersion: flags.ifVersion,
    parents: flags.parents,
    ...(flags.preserve && { mode: file?.mode, mtimeMs: file?.mtimeMs }),
    onProgress: ({ doneBytes }) => progress.update(entry.path, doneBytes),
    signal,
  };
  const source =
    sizeBytes !== undefined && sizeBytes <= SMALL_FILE_BYTES
      ? await smallSource(shell, entry.path, sizeBytes)
      : sourceOf(shell, entry.path);
  const sent = flags.append ? client.append(target, source, options) : client.put(target, source, options);
  const { stat, copies, underReplicatedBlocks } = await sent.catch((error: unknown) => {
    // The file itself need not be there, so it is a directory on the way to it.
    const isParent = flags.ifVersion === undefined && isHoldfastError(error, 'NAMESPACE_NOT_FOUND');
    throw isParent ? noParent(target, error) : error;
  });
  // To whoever closes a file, 0 means now.
  if (options.mtimeMs === 0) await client.setAttributes(target, { mtimeMs: 0 }, { signal });
  const value = { source: entry.path, path: target, ...pick(stat), copies, underReplicatedBlocks };
  if (isSingle) progress.stop();
  if (isSingle || !progress.isDrawn) {
    await shell.output.result(value, () => `${target}  ${formatBytes(stat.sizeBytes)}`);
  }
  if (underReplicatedBlocks > 0)
    progress.aside(() =>
      shell.output.warn(
        `${printable(target)}: ${counted(underReplicatedBlocks, 'block')} with only ${copies} of ${stat.replication} copies${flags.ack === undefined ? ', since too few datanodes could take more' : ''}. The cluster makes the others.`,
      ),
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

/** One piece saves what a stream costs; of a file that has grown meanwhile, a stream after all. */
async function smallSource(shell: Shell, path: string, sizeBytes: number): Promise<PutSource> {
  const room = Buffer.allocUnsafe(sizeBytes + 1);
  try {
    await using file = await open(path);
    let filled = 0;
    for (let read = -1; read !== 0 && filled < room.byteLength; filled += read)
      ({ bytesRead: read } = await file.read(room, filled, room.byteLength - filled));
    return filled > sizeBytes ? sourceOf(shell, path) : room.subarray(0, filled);
  } catch (error) {
    throw localFailure('read', path, error);
  }
}

async function* sourceOf(shell: Shell, path: string): PutSourceChunks {
  try {
    if (path === STDIN) yield* readInput(shell.terminal.stdin);
    else yield* readFile(path, shell.signal);
  } catch (error) {
    shell.signal.throwIfAborted();
    throw localFailure('read', path === STDIN ? 'standard input' : path, error);
  }
}

type PutSourceChunks = AsyncGenerator<Uint8Array> & Exclude<PutSource, Uint8Array>;
