/** @module The files that snapshots travel in, as a collaborator, so that a simulator can own their disk. */
import { createReadStream } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { isSystemError, syncDirectory, syncFile } from './durable-file.ts';
import { makeDirectory } from './make-directory.ts';

export interface FileReadOptions {
  /** First byte to read; 0 when absent. */
  readonly start?: number;
  /** Largest part to give at a time, in bytes. */
  readonly partBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A file that grows at its end. Dispose of it. */
export interface GrowingFile extends AsyncDisposable {
  truncate(sizeBytes: number): Promise<void>;
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves once what was written is durable. */
  sync(): Promise<void>;
}

/** Rejects with system errors ('ENOENT', 'ENOSPC' …). Nothing survives a loss of power that was not synced. */
export interface Files {
  /** With those above it; one that is there is left as it is. */
  makeDirectory(path: string): Promise<void>;
  /** Names in a directory. */
  list(directory: string): Promise<string[]>;
  /** In bytes; 0 when there is no such file. */
  sizeOf(path: string): Promise<number>;
  /** The whole file from `start` on, part by part. */
  read(path: string, options?: FileReadOptions): AsyncIterable<Uint8Array>;
  /** Opens a file at its end; makes it where there is none. */
  grow(path: string): Promise<GrowingFile>;
  /** Replaces what is at `to`, at once. */
  rename(from: string, to: string): Promise<void>;
  /** Does nothing where there is no such file. */
  remove(path: string): Promise<void>;
  /** Makes the content of a file durable. */
  syncFile(path: string): Promise<void>;
  /** Makes names made, renamed or removed in a directory durable. */
  syncDirectory(path: string): Promise<void>;
}

const DEFAULT_PART_BYTES: number = 64 * 1024;

export const systemFiles: Files = {
  makeDirectory: (path) => makeDirectory(path),
  list: (directory) => readdir(directory),
  async sizeOf(path) {
    try {
      return (await stat(path)).size;
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return 0;
      throw error;
    }
  },
  read: (path, { start = 0, partBytes = DEFAULT_PART_BYTES, signal } = {}) =>
    createReadStream(path, { start, highWaterMark: partBytes, ...(signal && { signal }) }),
  async grow(path) {
    const file = await open(path, 'a');
    return {
      truncate: (sizeBytes) => file.truncate(sizeBytes),
      write: (bytes) => file.writeFile(bytes),
      sync: () => file.datasync(),
      [Symbol.asyncDispose]: () => file.close(),
    };
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  syncFile,
  syncDirectory,
};
