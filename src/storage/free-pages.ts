/** @module Giving the pages of an SQLite file that deletions left empty back to the file system. */
import type { SqliteConnection } from './sqlite.ts';

/** SQLite's number for auto_vacuum=INCREMENTAL. */
const INCREMENTAL = 2;
/** Pages given back in one step: some 4 MiB, during which nobody else writes. */
const STEP_PAGES = 1_024;
/** Fewer free pages than this are kept: what is written next takes them. */
const KEPT_PAGES = 256;
/** A file of an earlier release can only be written anew as a whole: worth it once so many pages, and half of all, are empty. */
const REWRITE_PAGES = 16_384;

/** One step. True while there is more to give back. */
export async function giveBackPages(sql: Pick<SqliteConnection, 'all' | 'run'>): Promise<boolean> {
  const free = await count(sql, 'freelist_count');
  if (free <= KEPT_PAGES) return false;
  if ((await count(sql, 'auto_vacuum')) !== INCREMENTAL) {
    if (free < REWRITE_PAGES || free * 2 < (await count(sql, 'page_count'))) return false;
    await sql.run('PRAGMA auto_vacuum = INCREMENTAL');
    await sql.run('VACUUM');
    return false;
  }
  await sql.all(`PRAGMA incremental_vacuum(${Math.min(STEP_PAGES, free - KEPT_PAGES)})`);
  if (free - KEPT_PAGES > STEP_PAGES) return true;
  // Until then the file has its old size, and the WAL beside it what all the deletions wrote.
  await sql.all('PRAGMA wal_checkpoint(TRUNCATE)');
  return false;
}

async function count(sql: Pick<SqliteConnection, 'all'>, pragma: string): Promise<number> {
  const [row] = await sql.all(`PRAGMA ${pragma}`);
  return Number(row?.[pragma]);
}
