/**
 * @module The messages between the core and the two local storage threads (asyncStorageWrites): what to write or apply,
 * and the answers to deliver afterwards.
 */
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, message } from './messages.ts';
import type { RaftState } from './raft-state.ts';
import type { Entry, Message, Ready, Snapshot } from './types.ts';

/**
 * Says that all of the log is durable, not just one Ready's entries: an earlier attestation may have been void by its
 * term. The term voids this one in turn when it comes back in a later term: then entries at the same indexes may have
 * been replaced twice, and a write of the ones in between may still be under way (etcd's append ABA race). Undefined
 * when nothing is unstable.
 */
export function storageAppendResponse(raft: RaftState, snapshot: Snapshot | undefined): Message | undefined {
  const hasEntries = raft.log.unstable.hasEntries();
  if (!hasEntries && snapshot === undefined) return undefined;
  const last = hasEntries ? raft.log.lastEntryId() : { term: 0, index: 0 };
  return message({
    type: 'MsgStorageAppendResp',
    to: raft.id,
    from: LOCAL_APPEND_THREAD,
    term: raft.term,
    index: last.index,
    logTerm: last.term,
    ...(snapshot !== undefined && { snapshot }),
  });
}

/** Committed entries belong to no term: this is never stale. */
export function storageApplyResponse(raft: RaftState, entries: readonly Entry[]): Message {
  return message({ type: 'MsgStorageApplyResp', to: raft.id, from: LOCAL_APPLY_THREAD, entries });
}

/**
 * One durable write and the promises that wait for it. The acknowledgement of a leader to itself comes before
 * MsgStorageAppendResp, so that it is counted while the entries are still in memory. Undefined when there is neither.
 */
export function storageAppend(
  raft: RaftState,
  { hardState, entries, snapshot }: Pick<Ready, 'hardState' | 'entries' | 'snapshot'>,
  promises: readonly Message[],
): Message | undefined {
  const isWrite = hardState !== undefined || entries.length > 0 || snapshot !== undefined;
  if (!isWrite && promises.length === 0) return undefined;
  const stable = storageAppendResponse(raft, snapshot);
  return message({
    type: 'MsgStorageAppend',
    to: LOCAL_APPEND_THREAD,
    from: raft.id,
    entries,
    ...hardState,
    ...(snapshot !== undefined && { snapshot }),
    responses: stable === undefined ? promises : [...promises, stable],
  });
}

/** Undefined when there is nothing to apply. */
export function storageApply(raft: RaftState, entries: readonly Entry[]): Message | undefined {
  if (entries.length === 0) return undefined;
  return message({
    type: 'MsgStorageApply',
    to: LOCAL_APPLY_THREAD,
    from: raft.id,
    entries,
    responses: [storageApplyResponse(raft, entries)],
  });
}
