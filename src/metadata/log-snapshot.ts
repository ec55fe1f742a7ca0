/** @module The snapshot a log begins with, and the file it speaks of. */
import { isRaftError } from '../../raft/errors.ts';
import type { Snapshot } from '../../raft/types.ts';
import { SnapshotHandle } from '../protocol/messages.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';

/** Undefined while the log has never been compacted. */
export function logSnapshot(log: RaftLogStore): Snapshot | undefined {
  try {
    return log.snapshot();
  } catch (error) {
    if (isRaftError(error, 'RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE')) return undefined;
    throw error;
  }
}

/** What to fetch to have the snapshot's state. */
export function handleOf(snapshot: Snapshot): SnapshotHandle {
  return SnapshotHandle.decode(snapshot.data);
}
