/** @module The name of an entry, and the order of logs by their last one. */
import type { Index, Term } from './types.ts';

/** Names one entry for ever: two logs that hold it are equal up to it (Raft §5.3). */
export interface EntryId {
  readonly term: Term;
  readonly index: Index;
}

/** Of no log: every log is as new as that. */
export const NO_ENTRY: EntryId = { term: 0, index: 0 };

/** Raft §5.4.1, of the last entries of two logs: the one with the later term is newer; with equal terms, the longer. */
export function isUpToDate(candidate: EntryId, other: EntryId): boolean {
  return candidate.term > other.term || (candidate.term === other.term && candidate.index >= other.index);
}
