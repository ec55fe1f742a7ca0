/** @module The directory of snapshot files: whole and durable under their names, or not there. */
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../common/bytes.ts';
import { sha256Stream } from '../common/hashing.ts';
import type { SnapshotHandle } from '../protocol/messages.ts';
import { isSystemError, syncDirectory, syncFile } from '../storage/durable-file.ts';

const NAME = /^[a-z0-9-]{1,100}\.snapshot$/;
const PARTIAL_SUFFIX = '.partial';

export interface FileDigest {
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

export class SnapshotStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the directory and removes what a crash left half. */
  async prepare(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    for (const file of await readdir(this.#directory))
      if (file.endsWith(PARTIAL_SUFFIX)) await rm(join(this.#directory, file));
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

  /** Deletes every snapshot but `keep`. */
  async prune(keep: readonly string[]): Promise<void> {
    for (const file of await readdir(this.#directory))
      if (this.isName(file) && !keep.includes(file)) await rm(this.pathOf(file));
  }
}

export async function digestFile(path: string): Promise<FileDigest> {
  const hash = sha256Stream();
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sizeBytes, sha256: hash.digest() };
}

export function matches(digest: FileDigest, handle: SnapshotHandle): boolean {
  return digest.sizeBytes === handle.sizeBytes && toHex(digest.sha256) === toHex(handle.sha256);
}
