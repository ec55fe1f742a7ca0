/** @module The queue of what runs out: filed by time, so that Housekeeping finds what is due without scanning the rest. */
import { deadlineKey, numberKey } from './keys.ts';
import type { RowView } from './row-view.ts';
import type { Lease, Session } from './schema.ts';

// A renewal does not touch the queue: Housekeeping, finding a lease or session that lives on, files it anew.

export function fileLeaseDeadline(view: RowView, lease: Lease): void {
  const key = deadlineKey(lease.deadlineMs, 'lease', numberKey(lease.inode));
  view.put('deadline', key, { kind: 'lease', inode: lease.inode, session: '' });
  noteFiled(view, lease.deadlineMs);
}

export function fileSessionDeadline(view: RowView, session: Session): void {
  const key = deadlineKey(session.deadlineMs, 'session', session.id);
  view.put('deadline', key, { kind: 'session', inode: 0, session: session.id });
  noteFiled(view, session.deadlineMs);
}

/** Due at once: of what is due at the same time, the oldest comes first. */
export function fileReplicationDeadline(view: RowView, inode: number, timeMs: number): void {
  const key = deadlineKey(timeMs, 'replication', numberKey(inode));
  view.put('deadline', key, { kind: 'replication', inode, session: '' });
  noteFiled(view, timeMs);
}

export function removeLeaseDeadline(view: RowView, lease: Lease): void {
  view.remove('deadline', deadlineKey(lease.deadlineMs, 'lease', numberKey(lease.inode)));
}

function noteFiled(view: RowView, timeMs: number): void {
  const { counters } = view;
  if (counters.firstDeadlineMs === 0 || timeMs < counters.firstDeadlineMs) counters.firstDeadlineMs = timeMs;
}
