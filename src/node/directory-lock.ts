/** @module One process per data directory, and no lock left behind by kill -9. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSqliteError } from '../storage/sqlite-error.ts';
import { SqliteConnection } from '../storage/sqlite.ts';
import { writeDurably } from './durable-file.ts';
import { alreadyRunning, directoryNotWritable } from './errors.ts';

const LOCK_FILE = 'lock.db';
const PID_FILE = 'pid';
const FORMAT = 1;

/**
 * The lock is SQLite's own write lock on a file of its own, held as an open transaction: the kernel drops it with the
 * process, however that ends, and it holds between containers that cannot see each other's pids. A pid file beside it
 * only serves the error message.
 */
export class DirectoryLock {
  readonly #directory: string;
  readonly #release: () => void;
  readonly #held: Promise<void>;

  private constructor(directory: string, release: () => void, held: Promise<void>) {
    this.#directory = directory;
    this.#release = release;
    this.#held = held;
  }

  /** Fails at once when another process (or this one) has it. Errors: NODE_ALREADY_RUNNING, NODE_DIRECTORY_NOT_WRITABLE. */
  static async acquire(directory: string): Promise<DirectoryLock> {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const held = holdTransaction(directory, entered.resolve, gate.promise);
    try {
      await Promise.race([entered.promise, held]);
      await writeDurably(join(directory, PID_FILE), `${process.pid}\n`);
    } catch (error) {
      gate.resolve();
      if (!isSqliteError(error, 'SQLITE_BUSY')) throw directoryNotWritable(directory, error);
      throw alreadyRunning(directory, await readPid(directory));
    }
    return new DirectoryLock(directory, gate.resolve, held);
  }

  async release(): Promise<void> {
    await rm(join(this.#directory, PID_FILE), { force: true });
    this.#release();
    await this.#held;
  }
}

/** True for the names of files in the directory that belong to the lock. */
export function isLockFile(name: string): boolean {
  return name === PID_FILE || name.startsWith(LOCK_FILE);
}

/** Keeps a write transaction open until `gate` opens. */
async function holdTransaction(directory: string, entered: () => void, gate: Promise<void>): Promise<void> {
  const connection = await SqliteConnection.open(join(directory, LOCK_FILE), {
    format: FORMAT,
    schema: ['CREATE TABLE lock (holder INTEGER)'],
  });
  try {
    // A second start is to be refused at once, not after waiting for the first to end.
    await connection.all('PRAGMA busy_timeout = 0');
    await connection.transaction(async () => {
      entered();
      await gate;
    });
  } finally {
    await connection.close();
  }
}

async function readPid(directory: string): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(join(directory, PID_FILE), 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    // The holder has not written it yet, or is just leaving: the refusal stands without it.
    return undefined;
  }
}
