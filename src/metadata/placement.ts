/** @module Which datanodes shall hold the copies of new blocks: what a policy is asked, and what it is told. */
import type { Random } from '../common/random.ts';
import type { NodePlace } from './node-place.ts';

/** A datanode that may take blocks: alive, writable, registered. */
export interface PlacementCandidate extends NodePlace {
  readonly freeBytes: number;
  /** Placed since its last heartbeat, so not yet visible in `freeBytes`. */
  readonly expectedBytes: number;
  /** Transfers it serves now: of two alike the idle one is taken more often. 0 when absent. */
  readonly inFlight?: number;
}

export interface PlacementRequest {
  /** Sizes of the blocks to place, in bytes. */
  readonly sizes: readonly number[];
  /** Copies wanted of each. */
  readonly copies: number;
  /** Nodes never to be chosen. */
  readonly exclude: readonly number[];
  /** Host that gets the first copy when it has a node with room; empty: none. */
  readonly nearHost: string;
  /** Who has the block already, when further copies are placed: never chosen, and spread away from. */
  readonly held?: readonly NodePlace[];
}

/** Chooses per block up to `copies` distinct nodes; fewer when there are no more with room. */
export interface PlacementPolicy {
  place(
    candidates: readonly PlacementCandidate[],
    request: PlacementRequest,
    random: Random,
  ): readonly (readonly number[])[];
}
