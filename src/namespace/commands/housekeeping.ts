/** @module What nobody asks for: expiring leases and sessions, freeing what was detached, in bounded steps by log time. */
import { toHex } from '../../common/bytes.ts';
import { assert } from '../../common/errors.ts';
import { freePage } from '../block-references.ts';
import { fileLeaseDeadline, fileReplicationDeadline, fileSessionDeadline } from '../deadlines.ts';
import { direntRange, END_OF_TABLE, extentKey, nameOfDirent, numberKey, timeOfDeadline } from '../keys.ts';
import {
  DEFAULT_HOUSEKEEPING_LIMIT,
  EXTENT_PAGE_BLOCKS,
  MAX_HOUSEKEEPING_DIRECTORIES,
  MAX_HOUSEKEEPING_LIMIT,
  SESSION_IDLE_MS,
} from '../limits.ts';
import { replicateSome } from '../replication.ts';
import { housekeepingResult } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { Deadline, Housekeeping, Orphan, Result } from '../schema.ts';
import { type ApplyContext, inodeOf, orphanInode, putInode, unlinkEntry } from '../tree.ts';
import { dropLease } from './leases.ts';
import { dropSession } from './sessions.ts';

/** Work one Housekeeping may still do, in units; pages are gone through whole, so it may end up to a page below zero. */
interface Budget {
  units: number;
  /** Those of them that asking for copies may take: what waits to be freed waits no longer for it. */
  replicatedUnits: number;
  directories: number;
  freedBlocks: number;
}

/** All state is in rows, so it goes on where the last one ended, whoever leads then. */
export function housekeeping(view: RowView, command: Housekeeping, context: ApplyContext): Result {
  const units = Math.min(command.limit || DEFAULT_HOUSEKEEPING_LIMIT, MAX_HOUSEKEEPING_LIMIT);
  const budget: Budget = {
    units,
    replicatedUnits: Math.ceil(units / 2),
    directories: MAX_HOUSEKEEPING_DIRECTORIES,
    freedBlocks: 0,
  };
  expireDeadlines(view, budget, context);
  freeOrphans(view, budget, context);
  const { orphans, firstDeadlineMs } = view.counters;
  const more = orphans > 0 || (firstDeadlineMs !== 0 && firstDeadlineMs <= context.timeMs);
  return housekeepingResult(budget.freedBlocks, more);
}

function expireDeadlines(view: RowView, budget: Budget, context: ApplyContext): void {
  const { counters } = view;
  if (counters.firstDeadlineMs === 0 || counters.firstDeadlineMs > context.timeMs) return;
  const due = view
    .scan('deadline', '', END_OF_TABLE, budget.units)
    .filter(({ key }) => timeOfDeadline(key) <= context.timeMs);
  view.hint(
    'lease',
    due.filter(({ row }) => row.kind === 'lease').map(({ row }) => numberKey(row.inode)),
  );
  view.hint(
    'session',
    due.filter(({ row }) => row.kind === 'session').map(({ row }) => row.session),
  );
  view.hint(
    'inode',
    due.filter(({ row }) => row.kind === 'replication').map(({ row }) => numberKey(row.inode)),
  );
  for (const { key, row } of due) {
    if (row.kind === 'replication' && budget.replicatedUnits <= 0) continue;
    view.remove('deadline', key);
    if (row.kind === 'lease') expireLease(view, row, context);
    else if (row.kind === 'session') expireSession(view, row, context);
    else replicateFile(view, row, budget, context);
    budget.units--;
  }
  const first = view.scan('deadline', '', END_OF_TABLE, 1)[0];
  counters.firstDeadlineMs = first === undefined ? 0 : timeOfDeadline(first.key);
}

function expireLease(view: RowView, deadline: Deadline, context: ApplyContext): void {
  const lease = view.get('lease', numberKey(deadline.inode));
  assert(lease !== undefined, `the lease on inode ${deadline.inode}, which has a deadline, exists`);
  if (lease.expiresMs <= context.timeMs) return dropLease(view, lease);
  const renewed = { ...lease, deadlineMs: lease.expiresMs };
  view.put('lease', numberKey(lease.inode), renewed);
  fileLeaseDeadline(view, renewed);
}

function expireSession(view: RowView, deadline: Deadline, context: ApplyContext): void {
  const session = view.get('session', deadline.session);
  assert(session !== undefined, `session ${deadline.session}, which has a deadline, exists`);
  const expiresMs = session.lastUsedMs + SESSION_IDLE_MS;
  if (expiresMs <= context.timeMs) return dropSession(view, session);
  const renewed = { ...session, deadlineMs: expiresMs };
  view.put('session', session.id, renewed);
  fileSessionDeadline(view, renewed);
}

/** Goes on with a file that wants other copies; the row of one that is not through is filed behind all that is due. */
function replicateFile(view: RowView, deadline: Deadline, budget: Budget, context: ApplyContext): void {
  const inode = view.get('inode', numberKey(deadline.inode));
  // What was removed needs no copies; or replication was set twice, and another row has seen to all of it.
  if (inode === undefined || inode.parent === 0 || inode.pagesToReplicate === undefined) return;
  const replicated = replicateSome(view, inode, budget.replicatedUnits);
  const pages = inode.pagesToReplicate - (replicated.pagesToReplicate ?? 0);
  budget.units -= pages * EXTENT_PAGE_BLOCKS;
  budget.replicatedUnits -= pages * EXTENT_PAGE_BLOCKS;
  putInode(view, replicated);
  if (replicated.pagesToReplicate !== undefined) fileReplicationDeadline(view, inode.id, context.timeMs);
}

function freeOrphans(view: RowView, budget: Budget, context: ApplyContext): void {
  if (view.counters.orphans === 0 || budget.units <= 0) return;
  // A directory's children become orphans in their turn: they are the next commands' work.
  const orphans = view.scan('orphan', '', END_OF_TABLE, budget.units);
  lookAhead(
    view,
    orphans.map(({ row }) => row),
    budget,
  );
  for (const { key, row } of orphans) {
    if (budget.units <= 0) return;
    const isFreed =
      inodeOf(view, row.inode).kind === 'directory'
        ? emptyDirectory(view, row, budget, context)
        : freePages(view, row, budget, context);
    if (!isFreed) continue;
    view.remove('orphan', key);
    view.remove('inode', key);
    view.counters.orphans--;
    budget.units--;
  }
}

/**
 * All rows that freeing these orphans will ask for, table by table: one orphan after the other, each that lacked a row would
 * begin the whole command anew.
 */
function lookAhead(view: RowView, orphans: readonly Orphan[], budget: Budget): void {
  view.hint(
    'inode',
    orphans.map(({ inode }) => numberKey(inode)),
  );
  const last = orphans.filter(({ pagesLeft }) => pagesLeft > 0);
  const pages = view.getMany(
    'extent',
    last.map(({ inode, pagesLeft }) => extentKey(inode, pagesLeft - 1)),
  );
  const blocks: string[] = [];
  for (const page of pages) {
    if (blocks.length >= budget.units) break;
    for (const { hash } of page?.blocks ?? []) blocks.push(toHex(hash));
  }
  view.getMany('block', blocks);
}

/** True when all pages are freed. The last goes first, so that the count of those left says where to go on. */
function freePages(view: RowView, orphan: Orphan, budget: Budget, context: ApplyContext): boolean {
  let { pagesLeft } = orphan;
  const upTo = Math.max(0, pagesLeft - Math.ceil(budget.units / EXTENT_PAGE_BLOCKS));
  for (let page = pagesLeft - 1; page >= upTo; page--) view.hint('extent', [extentKey(orphan.inode, page)]);
  while (pagesLeft > 0 && budget.units > 0) {
    const freed = freePage(view, orphan.inode, --pagesLeft, context.timeMs);
    budget.units -= freed;
    budget.freedBlocks += freed;
  }
  if (pagesLeft === 0) return true;
  view.put('orphan', numberKey(orphan.inode), { ...orphan, pagesLeft });
  return false;
}

/** True when the directory has no entries left. */
function emptyDirectory(view: RowView, orphan: Orphan, budget: Budget, context: ApplyContext): boolean {
  if (inodeOf(view, orphan.inode).childCount === 0) return true;
  if (budget.directories === 0) return false;
  budget.directories--;
  const { from, to } = direntRange(orphan.inode, '');
  const entries = view.scan('dirent', from, to, budget.units);
  view.hint(
    'inode',
    entries.map(({ row }) => numberKey(row.inode)),
  );
  for (const { key, row } of entries) {
    const child = inodeOf(view, row.inode);
    assert(child.name === nameOfDirent(key), `inode ${child.id} has the name of its entry`);
    unlinkEntry(view, child, context);
    orphanInode(view, child);
    budget.units--;
  }
  return inodeOf(view, orphan.inode).childCount === 0;
}
