/** @module Moments of a cluster that faults wait for. */

/** Soon over, and worth a fault of its own: a change of voters is half done; a snapshot is on its way. */
export type Moment = 'joint' | 'snapshot';
