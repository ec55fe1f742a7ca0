/** @module A file of this machine that appears whole or not at all; devices and pipes take the bytes as they come. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory } from '../src/storage/durable-file.ts';
import { localFailure } from './errors.ts';
import { openPipe, writeToPipe } from './named-pipe.ts';

export interface DownloadOptions {
  readonly signal: AbortSignal;
}

/**
 * Writes `bytes` under a temporary name in the target's directory, fsyncs, renames over `target`, fsyncs the directory.
 * On any failure, ctrl-C included, the temporary file is removed and `target` is as before.
 * Errors: CLI_LOCAL_FAILED, CLI_LOCAL_NOT_FOUND, the signal's reason, and whatever reading `bytes` throws.
 */
export async function downloadFile(
  bytes: AsyncIterable<Uint8Array>,
  target: string,
  { signal }: DownloadOptions,
): Promise<void> {
  // Not made from the target's name, which may have all the 255 bytes a name can have.
  const temporary = join(dirname(target), `.holdfast-${randomUUID()}.part`);
  const handle = await local('write', target, () => open(temporary, 'wx'));
  try {
    try {
      await writeAll(handle, bytes, target, signal);
      await local('write', target, () => handle.sync());
    } finally {
      await handle.close();
    }
    signal.throwIfAborted();
    await local('write', target, () => rename(temporary, target));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await local('write', target, () => syncDirectory(dirname(target)));
}

/**
 * Writes `bytes` into the device or pipe at `target`: to put a file in its place would take /dev/null from everybody.
 * Errors: as of downloadFile; what was written until then stays.
 */
export async function writeInto(
  bytes: AsyncIterable<Uint8Array>,
  target: string,
  { signal }: DownloadOptions,
): Promise<void> {
  if (await local('look at', target, async () => (await stat(target)).isFIFO()))
    return writeIntoPipe(bytes, target, signal);
  await using handle = await local('write', target, () => open(target, constants.O_WRONLY));
  await writeAll(handle, bytes, target, signal);
}

async function writeIntoPipe(
  bytes: AsyncIterable<Uint8Array>,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const pipe = await local('write', target, () => openPipe(target, 'write', signal));
  try {
    for await (const chunk of bytes) await local('write', target, () => writeToPipe(pipe, chunk));
  } finally {
    pipe.end();
  }
}

async function writeAll(
  handle: FileHandle,
  bytes: AsyncIterable<Uint8Array>,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of bytes) {
    signal.throwIfAborted();
    let from = 0;
    while (from < chunk.length) {
      const start = from;
      from += (await local('write', target, () => handle.write(chunk, start))).bytesWritten;
    }
  }
}

/** Tells trouble of this machine from trouble of the cluster. */
async function local<T>(action: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw localFailure(action, path, error);
  }
}
