/** @module Replacing a SQLite file by another one so that a crash leaves either the old or the new, whole. */
import { constants, copyFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError, syncDirectory, syncFile } from './durable-file.ts';
import { corruptImport, wrongFormat } from './errors.ts';
import { SqliteConnection } from './sqlite.ts';

/** Copies `source` beside `target`, checks it and makes it durable. `target` is not touched. */
export async function prepareReplacement(source: string, target: string, format: number): Promise<void> {
  const incoming = incomingPath(target);
  await discardIncoming(target);
  try {
    await copyFile(source, incoming, constants.COPYFILE_FICLONE);
    await verify(incoming, source, format);
    await syncFile(incoming);
  } catch (error) {
    await discardIncoming(target);
    throw error;
  }
}

/**
 * Puts the prepared copy in the place of `target`. All connections to `target` must be closed: closing the last one
 * moves its WAL into the file and deletes it. Were that deletion not durable before the rename, SQLite could after a
 * crash replay the old WAL into the new file; hence the first fsync of the directory.
 */
export async function replaceDatabase(target: string): Promise<void> {
  const left = await sizeOf(`${target}-wal`);
  if (left > 0) throw new Error(`${left} bytes of ${target}-wal are in use by another process`);
  await rm(`${target}-wal`, { force: true });
  await rm(`${target}-shm`, { force: true });
  await syncDirectory(dirname(target));
  await rename(incomingPath(target), target);
  await syncDirectory(dirname(target));
}

/** Removes what an import that a crash interrupted has left. */
export async function discardIncoming(target: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal'])
    await rm(`${incomingPath(target)}${suffix}`, { force: true });
}

async function verify(path: string, source: string, format: number): Promise<void> {
  const [version, problems] = await inspect(path, source);
  if (problems !== 'ok') throw corruptImport(source, problems);
  if (version !== format) throw wrongFormat(source, format, version);
}

async function inspect(path: string, source: string): Promise<[version: number, problems: string]> {
  const copy = await SqliteConnection.openReader(path);
  try {
    const [version] = await copy.all('PRAGMA user_version');
    const [check] = await copy.all('PRAGMA quick_check(1)');
    return [Number(version?.['user_version']), String(check?.['quick_check'])];
  } catch (cause) {
    throw corruptImport(source, String(cause));
  } finally {
    await copy.close();
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

function incomingPath(target: string): string {
  return `${target}.incoming`;
}
