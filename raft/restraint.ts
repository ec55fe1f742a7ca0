/** @module What a node is held to that has forgotten promises: others have told how far these may have gone. */
import { type EntryId, NO_ENTRY } from './entry-id.ts';
import type { RaftState } from './raft-state.ts';
import type { Term } from './types.ts';
import { NO_NODE } from './types.ts';

/** The furthest that those had come whom the node may have made promises to. */
export interface Restraint {
  /** It may have voted in this term, and in any before. */
  readonly term: Term;
  /** It may have acknowledged everything up to here. */
  readonly last: EntryId;
}

/** Before it, nobody is held to anything. */
export const NO_RESTRAINT: Restraint = { term: 0, last: NO_ENTRY };

/**
 * Takes the vote of `term` as given, and votes, also for itself, for nobody whose log is older than `last`: as those would not
 * who have the entries that this node may have forgotten. Follows any leader. Order: before the first event.
 */
export function restrain(raft: RaftState, { term, last }: Restraint): void {
  if (term > raft.term) raft.becomeFollower(term, NO_NODE);
  // To itself: it asks nobody for a vote in this term any more, so that this vote is none.
  if (term === raft.term && raft.vote === NO_NODE) raft.vote = raft.id;
  raft.oldestElectable = last;
}
