/** @module Brings namespace and log together at the start, after a crash between the two writes of a snapshot. */
import type { StateMachine } from '../namespace/state-machine.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import { logInconsistent } from './errors.ts';
import { handleOf, logSnapshot } from './log-snapshot.ts';
import type { SnapshotStore } from './snapshot-store.ts';

/**
 * A snapshot from the leader is written into the log first (ReadyHandler) and takes the namespace's place then: if the
 * second is missing, it is done now. Files that nobody needs are removed.
 * Throws METADATA_LOG_INCONSISTENT when log and namespace do not belong together.
 */
export async function repairAtStart(
  log: RaftLogStore,
  machine: StateMachine,
  store: SnapshotStore,
): Promise<void> {
  const snapshot = logSnapshot(log);
  if (snapshot !== undefined && machine.appliedIndex < snapshot.metadata.index) {
    const handle = handleOf(snapshot);
    if (!(await store.has(handle)))
      throw logInconsistent(
        handle.name === ''
          ? 'the namespace lacks changes that the log has dropped because they were in it'
          : `the log begins with snapshot ${handle.name}, whose file is missing or damaged`,
        factsOf(log, machine),
      );
    await machine.restoreFrom(store.pathOf(handle.name));
  }
  if (machine.appliedIndex > log.lastIndex())
    throw logInconsistent('the namespace holds changes that the log does not have', factsOf(log, machine));
  await store.pruneWhole();
}

function factsOf(log: RaftLogStore, machine: StateMachine): { applied: number; last: number } {
  return { applied: machine.appliedIndex, last: log.lastIndex() };
}
