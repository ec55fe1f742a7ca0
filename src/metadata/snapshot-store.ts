/** @module A directory of snapshot files: whole under their names, or not there. */
import { join } from 'node:path';
import { toHex } from '../common/bytes.ts';
import { sha256Stream } from '../common/hashing.ts';
import type { SnapshotHandle } from '../protocol/messages.ts';
import { type FileReadOptions, type Files, type GrowingFile, systemFiles } from '../storage/files.ts';
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
  readonly #files: Files;

  constructor(directory: string, files: Files = systemFiles) {
    this.#directory = directory;
    this.#files = files;
  }

  /** Makes the directory, if need be with those above it. */
  async prepare(): Promise<void> {
    await this.#files.makeDirectory(this.#directory);
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
    await this.#files.syncFile(this.partialPathOf(name));
    await this.#files.rename(this.partialPathOf(name), this.pathOf(name));
    await this.#files.syncDirectory(this.#directory);
  }

  /** Removes the file and what there is of it half. */
  async discard(name: string): Promise<void> {
    await this.#files.remove(this.pathOf(name));
    await this.discardPartial(name);
  }

  async discardPartial(name: string): Promise<void> {
    await this.#files.remove(this.partialPathOf(name));
  }

  /** Size in bytes of the file at `path`, 0 when there is none. */
  sizeOf(path: string): Promise<number> {
    return this.#files.sizeOf(path);
  }

  read(path: string, options: FileReadOptions = {}): AsyncIterable<Uint8Array> {
    return this.#files.read(path, options);
  }

  /** The partial file of `name`, to go on at its end. */
  growPartial(name: string): Promise<GrowingFile> {
    return this.#files.grow(this.partialPathOf(name));
  }

  /** Reads the whole file; `pace` is awaited with the bytes of each part. */
  async digest(path: string, { pace, signal }: CopyOptions = {}): Promise<FileDigest> {
    const hash = sha256Stream();
    let sizeBytes = 0;
    for await (const part of this.#files.read(path, { partBytes: READ_BYTES, signal })) {
      hash.update(part);
      sizeBytes += part.length;
      await pace?.(part.length);
    }
    return { sizeBytes, sha256: hash.digest() };
  }

  /** True when the file is here whole, by its checksum. */
  async has(handle: SnapshotHandle): Promise<boolean> {
    if (!this.isName(handle.name)) return false;
    if ((await this.sizeOf(this.pathOf(handle.name))) !== handle.sizeBytes) return false;
    return matches(await this.digest(this.pathOf(handle.name)), handle);
  }

  /** Deletes everything but the snapshots `keep`, whole or half. */
  async prune(keep: readonly string[]): Promise<void> {
    for (const file of await this.#files.list(this.#directory))
      if (!keep.some((name) => file === name || file === name + PARTIAL_SUFFIX))
        await this.#files.remove(join(this.#directory, file));
  }

  /** Deletes the whole ones: at a start, what there is half may still be of use. */
  async pruneWhole(): Promise<void> {
    for (const file of await this.#files.list(this.#directory))
      if (this.isName(file)) await this.#files.remove(this.pathOf(file));
  }

  async prunePartial(): Promise<void> {
    for (const file of await this.#files.list(this.#directory))
      if (file.endsWith(PARTIAL_SUFFIX)) await this.#files.remove(join(this.#directory, file));
  }
}

export function matches(digest: FileDigest, handle: SnapshotHandle): boolean {
  return digest.sizeBytes === handle.sizeBytes && toHex(digest.sha256) === toHex(handle.sha256);
}
