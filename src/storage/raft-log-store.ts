/** @module The durable Raft log: what the core may read at once, and the one write per Ready. */
import type { ConfState, Entry, HardState, Index, Snapshot, Storage } from '../../raft/types.ts';

/** Everything one Ready asks to be made durable. */
export interface LogWrite {
  readonly hardState?: HardState;
  /** Appended; an existing suffix from entries[0].index on is replaced. Contiguous. */
  readonly entries: readonly Entry[];
  /** Replaces the whole log: firstIndex becomes snapshot.metadata.index + 1. Written before `entries`. */
  readonly snapshot?: Snapshot;
  readonly mustSync: boolean;
}

/**
 * Reads are answered from memory (the log between two compactions is bounded), writes go to disk in one transaction each.
 * Writes are ordered and group-committed: those that arrive while one is being written share the next transaction.
 * Any failed write latches: every later call rejects with STORAGE_FAILED, and the node must stop (S11 of simulations/README.md).
 */
export interface RaftLogStore extends Storage {
  /**
   * Resolves once durable; reads see it only from then on. Without mustSync a bare commit index is only remembered, and
   * goes to disk with the next write or close: after a crash the state machine may be ahead of it.
   */
  append(write: LogWrite): Promise<void>;
  /** Records a snapshot that the state machine can restore and drops entries up to `upTo` (<= snapshot.metadata.index). */
  compact(snapshot: Snapshot, upTo: Index): Promise<void>;
  /** First write of a new log: configuration, and the entries that make the genesis. Refuses a log that is not empty. */
  bootstrap(confState: ConfState, hardState: HardState, entries: readonly Entry[]): Promise<void>;
  /** Sum of the data of all retained entries, in bytes. */
  retainedBytes(): number;
  isEmpty(): boolean;
  /** Durable writes so far, over all starts of the node: whatever it has promised to anyone is in one of them. */
  readonly sequence: number;
  /** True when the files were put here by something else than this node: they may be older than what it has promised. */
  readonly isCopy: boolean;
  /** Makes a copy this node's own, once its peers have said that they know of nothing newer. */
  adopt(): Promise<void>;
  /** Counts the starts of the node with this log, from 1, and marks what it begins with; durable before it returns. */
  beginBoot(): Promise<number>;
  close(): Promise<void>;
}
