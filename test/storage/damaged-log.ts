/** @module Raft logs as a killed process leaves them, and copies of them with one thing wrong. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sqlite3 from 'sqlite3';
import type { Entry, HardState } from '../../raft/types.ts';
import { isHoldfastError } from '../../src/common/errors.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openRaftLog } from '../../src/storage/raft-log-file.ts';
import type { SqliteRaftLog } from '../../src/storage/sqlite-raft-log.ts';
import { append, entries } from './raft-log-store.suite.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** The smallest that SQLite has: the fewest bytes to go through. */
const PAGE_SIZE_BYTES = 512;
/** Opened at once: sqlite3 works on the four threads of libuv. */
const PARALLEL_OPENINGS = 4;
const EARLIER_WRITES = 6;
const HARD_STATE: HardState = { term: 3, vote: 2, commit: 4 };
const REFUSALS = ['STORAGE_CORRUPT_LOG', 'STORAGE_LOG_BEHIND'];
const FILES = ['', '-wal', '.mark'] as const;
export type LogFile = (typeof FILES)[number];

export interface WrittenLog {
  readonly path: string;
  readonly log: SqliteRaftLog;
  /** Length of the WAL before the last write. */
  readonly lastWriteAt: number;
  readonly acknowledged: Acknowledged;
}

/** The bytes of a log's files at one moment. */
export type LogImage = ReadonlyMap<LogFile, Buffer>;

/** What was acknowledged: it is all there, or the log is refused. */
export interface Acknowledged {
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
}

/** 'whole', or the code it was refused with. 'ahead': whole, and further writes that nobody was told of. */
export type Outcome = string;

/** A new log whose database has small pages. */
async function smallLog(): Promise<{ readonly path: string; readonly log: SqliteRaftLog }> {
  const path = join(await temporaryDirectory(), 'raft.db');
  await new Promise<void>((resolve, reject) => {
    const database = new sqlite3.Database(path);
    database.exec(`PRAGMA page_size = ${PAGE_SIZE_BYTES}; VACUUM`, (error) => {
      database.close(() => (error === null ? resolve() : reject(error)));
    });
  });
  return { path, log: await openLog(path) };
}

export function openLog(path: string): Promise<SqliteRaftLog> {
  return openRaftLog(path, { logger: silentLogger, mustExist: true });
}

export async function imageOf(path: string): Promise<LogImage> {
  const image = new Map<LogFile, Buffer>();
  for (const file of FILES) {
    const found = await stat(`${path}${file}`).catch(() => undefined);
    if (found !== undefined) image.set(file, await readFile(`${path}${file}`));
  }
  return image;
}

export function truncated(image: LogImage, file: LogFile, at: number): LogImage {
  return new Map(image).set(file, (image.get(file) as Buffer).subarray(0, at));
}

export function flipped(image: LogImage, file: LogFile, at: number): LogImage {
  const bytes = Buffer.from(image.get(file) as Buffer);
  bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
  return new Map(image).set(file, bytes);
}

/** Opens each of `images` in turn and says how often each outcome came. Throws when something acknowledged is missing. */
export async function outcomesOf(
  images: Iterable<LogImage>,
  acknowledged: Acknowledged,
): Promise<Record<Outcome, number>> {
  const counts: Record<Outcome, number> = {};
  const directory = await temporaryDirectory();
  const iterator = images[Symbol.iterator]();
  let number = 0;
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
      number += 1;
      const outcome = await outcomeOf(join(directory, `${number}.db`), next.value, acknowledged);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_OPENINGS }, worker));
  return counts;
}

async function outcomeOf(path: string, image: LogImage, acknowledged: Acknowledged): Promise<Outcome> {
  for (const [file, bytes] of image) await writeFile(`${path}${file}`, bytes);
  let log: SqliteRaftLog;
  try {
    log = await openLog(path);
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    return error.code;
  }
  try {
    return judged(log, acknowledged);
  } finally {
    await log.close();
  }
}

function judged(log: SqliteRaftLog, acknowledged: Acknowledged): Outcome {
  const found = log.entries(log.firstIndex(), log.lastIndex() + 1, Number.MAX_SAFE_INTEGER);
  acknowledged.entries.forEach((entry, at) => {
    const same = found[at];
    if (same?.term !== entry.term || same.index !== entry.index || !Buffer.from(entry.data).equals(same.data))
      throw new Error(`The log was opened without the acknowledged entry ${entry.index}.`);
  });
  const { hardState } = acknowledged;
  const { term, vote } = log.initialState().hardState;
  if (term < hardState.term || (term === hardState.term && vote !== hardState.vote))
    throw new Error(`The log was opened with the vote for ${vote} in term ${term}.`);
  return found.length > acknowledged.entries.length || term > hardState.term ? 'ahead' : 'whole';
}

/** Votes and entries, some of them overwritten, one write after the other. */
export async function writtenLog(): Promise<WrittenLog> {
  const { path, log } = await smallLog();
  for (let at = 1; at <= EARLIER_WRITES; at += 1) await append(log, entries(2 * at - 1, 2 * at, 2));
  await log.append({ hardState: HARD_STATE, entries: entries(10, 11, 3), mustSync: true });
  const lastWriteAt = size(await imageOf(path), '-wal');
  await append(log, entries(12, 13, 3));
  const found = log.entries(1, log.lastIndex() + 1, Number.MAX_SAFE_INTEGER);
  return { path, log, lastWriteAt, acknowledged: { entries: found, hardState: HARD_STATE } };
}

export function isRefusal(outcome: string): boolean {
  return REFUSALS.includes(outcome);
}

export function size(image: LogImage, file: LogFile): number {
  return image.get(file)?.length ?? 0;
}

export function range(from: number, to: number, step = 1): number[] {
  return Array.from({ length: Math.ceil((to - from) / step) }, (_, at) => from + at * step);
}
