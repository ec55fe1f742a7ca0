/** @module The right to write one file for a while, with a fencing token that tells its holders apart. */
import { fileLeaseDeadline, removeLeaseDeadline } from '../deadlines.ts';
import { leaseExpired, leaseHeld } from '../errors.ts';
import { numberKey } from '../keys.ts';
import { DEFAULT_LEASE_MS, MAX_LEASE_MS, MIN_LEASE_MS } from '../limits.ts';
import { DONE, grantResult } from '../results.ts';
import type { RowView } from '../row-view.ts';
import type { AbandonFile, Lease, RenewLease, Result } from '../schema.ts';
import { type ApplyContext, inodeOf, orphanInode } from '../tree.ts';

/** What a holder names its lease by. */
export interface LeaseClaim {
  readonly inode: number;
  readonly fencingToken: number;
}

/** `askedMs` 0 means DEFAULT_LEASE_MS; anything else is brought within MIN_LEASE_MS..MAX_LEASE_MS. */
export function grantLease(
  view: RowView,
  inode: number,
  path: string,
  session: string,
  askedMs: number,
  context: ApplyContext,
): Lease {
  const durationMs = Math.min(Math.max(askedMs || DEFAULT_LEASE_MS, MIN_LEASE_MS), MAX_LEASE_MS);
  const expiresMs = context.timeMs + durationMs;
  const lease: Lease = {
    inode,
    fencingToken: context.index,
    session,
    path,
    expiresMs,
    durationMs,
    deadlineMs: expiresMs,
  };
  view.insert('lease', numberKey(inode), lease);
  view.counters.leases++;
  fileLeaseDeadline(view, lease);
  return lease;
}

/** The lease `claim` names. Throws NAMESPACE_LEASE_HELD for another's token and NAMESPACE_LEASE_EXPIRED when it is over. */
export function checkLease(view: RowView, claim: LeaseClaim, context: ApplyContext): Lease {
  const lease = findLease(view, claim);
  if (lease.expiresMs <= context.timeMs) throw leaseExpired(claim.inode);
  return lease;
}

/** The lease runs its whole duration from now. */
export function extendLease(view: RowView, lease: Lease, context: ApplyContext): Lease {
  const extended: Lease = { ...lease, expiresMs: context.timeMs + lease.durationMs };
  view.put('lease', numberKey(lease.inode), extended);
  return extended;
}

export function endLease(view: RowView, lease: Lease): void {
  view.remove('lease', numberKey(lease.inode));
  removeLeaseDeadline(view, lease);
  view.counters.leases--;
}

export function renewLease(view: RowView, command: RenewLease, context: ApplyContext): Result {
  const lease = extendLease(view, checkLease(view, command, context), context);
  return grantResult(inodeOf(view, lease.inode), lease);
}

/** Gives the lease back and frees what was written; allowed after it ran out, as long as nobody collected it. */
export function abandonFile(view: RowView, command: AbandonFile): Result {
  dropLease(view, findLease(view, command));
  return DONE;
}

/** Ends a lease whose file was never closed, or never became the end of another. */
export function dropLease(view: RowView, lease: Lease): void {
  endLease(view, lease);
  orphanInode(view, inodeOf(view, lease.inode));
}

function findLease(view: RowView, claim: LeaseClaim): Lease {
  const lease = view.get('lease', numberKey(claim.inode));
  if (lease === undefined) throw leaseExpired(claim.inode);
  if (lease.fencingToken !== claim.fencingToken)
    throw leaseHeld(claim.inode, lease.fencingToken, claim.fencingToken);
  return lease;
}
