/** @module Replacing a SQLite file by another one so that a crash leaves either the old or the new, whole. */
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError, syncDirectory, syncFile } from './durable-file.ts';
import { corruptImport, wrongFormat } from './errors.ts';
import { SqliteConnection } from './sqlite.ts';

/** Reads every page of the file at `path`. Errors: STORAGE_CORRUPT_IMPORT, STORAGE_WRONG_FORMAT. */
export async function verifyDatabase(path: string, newestFormat: number): Promise<void> {
  const [version, problems] = await inspect(path);
  if (problems !== 'ok') throw corruptImport(path, problems);
  if (version < 1 || version > newestFormat) throw wrongFormat(path, newestFormat, version);
}

/**
 * Moves `source` to the place of `target`, on the same file system. All connections to `target` must be closed: closing
 * the last one moves its WAL into the file and deletes it. Were that deletion not durable before the rename, SQLite
 * could after a crash replay the old WAL into the new file; hence the first fsync of the directory.
 */
export async function replaceDatabase(source: string, target: string): Promise<void> {
  const left = await sizeOf(`${target}-wal`);
  if (left > 0) throw new Error(`${left} bytes of ${target}-wal are in use by another process`);
  await rm(`${target}-wal`, { force: true });
  await rm(`${target}-shm`, { force: true });
  await syncDirectory(dirname(target));
  await syncFile(source);
  await rename(source, target);
  await syncDirectory(dirname(target));
  await syncDirectory(dirname(source));
}

async function inspect(path: string): Promise<[version: number, problems: string]> {
  try {
    const copy = await SqliteConnection.openImmutable(path);
    try {
      const [version] = await copy.all('PRAGMA user_version');
      const [check] = await copy.all('PRAGMA quick_check(1)');
      return [Number(version?.['user_version']), String(check?.['quick_check'])];
    } finally {
      await copy.close();
    }
  } catch (cause) {
    throw corruptImport(path, String(cause));
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 0;
    throw error;
  }
}
