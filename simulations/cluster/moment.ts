/** @module Moments of a cluster that faults wait for. */

/**
 * Soon over, and worth a fault of its own: a change of voters is half done; a snapshot is on its way; a node writes to its
 * log, and nothing of it is sure to be on the disk; a node has dropped entries from its log.
 */
export type Moment = 'joint' | 'snapshot' | 'log-write' | 'compaction';

/** Who waits for which. */
export interface AwaitedMoment {
  readonly moment: Moment;
  /** Of this node; of anyone when absent. */
  readonly node?: number;
}
