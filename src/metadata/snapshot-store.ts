/** @module A directory of snapshot files: whole under their names, or not there. */
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../common/bytes.ts';
import { sha256Stream } from '../common/hashing.ts';
import type { SnapshotHandle } from '../protocol/messages.ts';
import { isSystemError, syncDirectory, syncFile } from '../storage/durable-file.ts';
import type { CopyOptions } from '../storage/row-store.ts';

/** Below a node's snapshot directory: what a leader sent, which the log may begin with. */
export const RECEIVED_SNAPSHOTS = 'received';
const NAME = /^[a-z0-9-]{1,100}\.snapshot$/;
const PARTIAL_SUFFIX = '.partial';
/** Hashed in one go: well under a millisecond. */
const READ_BYTES: number = 256 * 1024;

export interface FileDigest {
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

export class SnapshotStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the directory, if need be with those above it. */
  async prepare(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
  }

  /** A name comes from a peer: only names we make ourselves are names of files here. */
  isName(name: string): boolean {
    return NAME.test(name);
  }

  pathOf(name: string): string {
    return join(this.#directory, name);
  }

  /** Where `name` is being written; no reader ever sees it. */
  partialPathOf(name: string): string {
    return join(this.#directory, name + PARTIAL_SUFFIX);
  }

  /** Moves the finished partial file to its name, durably. */
  async publish(name: string): Promise<void> {
    await syncFile(this.partialPathOf(name));
    await rename(this.partialPathOf(name), this.pathOf(name));
    await syncDirectory(this.#directory);
  }

  /** Removes the file and what there is of it half. */
  async discard(name: string): Promise<void> {
    await rm(this.pathOf(name), { force: true });
    await this.discardPartial(name);
  }

  async discardPartial(name: string): Promise<void> {
    await rm(this.partialPathOf(name), { force: true });
  }

  /** Size in bytes of the file at `path`, 0 when there is none. */
  async sizeOf(path: string): Promise<number> {
    try {
      return (await stat(path)).size;
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return 0;
      throw error;
    }
  }

  /** True when the file is here whole, by its checksum. */
  async has(handle: SnapshotHandle): Promise<boolean> {
    if (!this.isName(handle.name)) return false;
    if ((await this.sizeOf(this.pathOf(handle.name))) !== handle.sizeBytes) return false;
    return matches(await digestFile(this.pathOf(handle.name)), handle);
  }

  /** Deletes everything but the snapshots `keep`, whole or half. */
  async prune(keep: readonly string[]): Promise<void> {
    for (const file of await readdir(this.#directory))
      if (!keep.some((name) => file === name || file === name + PARTIAL_SUFFIX))
        await rm(join(this.#directory, file), { force: true });
  }

  /** Deletes the whole ones: at a start, what there is half may still be of use. */
  async pruneWhole(): Promise<void> {
    for (const file of await readdir(this.#directory))
      if (this.isName(file)) await rm(this.pathOf(file), { force: true });
  }

  async prunePartial(): Promise<void> {
    for (const file of await readdir(this.#directory))
      if (file.endsWith(PARTIAL_SUFFIX)) await rm(join(this.#directory, file), { force: true });
  }
}

/** Reads the whole file; `pace` is awaited with the bytes of each part. */
export async function digestFile(path: string, { pace, signal }: CopyOptions = {}): Promise<FileDigest> {
  const hash = sha256Stream();
  let sizeBytes = 0;
  const file = createReadStream(path, { highWaterMark: READ_BYTES, ...(signal && { signal }) });
  for await (const chunk of file as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    sizeBytes += chunk.length;
    await pace?.(chunk.length);
  }
  return { sizeBytes, sha256: hash.digest() };
}

export function matches(digest: FileDigest, handle: SnapshotHandle): boolean {
  return digest.sizeBytes === handle.sizeBytes && toHex(digest.sha256) === toHex(handle.sha256);
}
