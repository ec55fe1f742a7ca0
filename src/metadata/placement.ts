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

/** Copies placed one by one among the same datanodes; what is placed takes their room. */
export interface PlacementRound {
  /**
   * One that `isAllowed` (all, when absent), has room for `sizeBytes` and is none of `others`, as far from these as any such
   * stands; undefined when there is none.
   */
  farthest(
    others: readonly NodePlace[],
    sizeBytes: number,
    isAllowed?: (node: number) => boolean,
  ): PlacementCandidate | undefined;
  /** Whether one that `isAllowed` has room for `sizeBytes`. */
  hasRoom(sizeBytes: number, isAllowed: (node: number) => boolean): boolean;
  /** `sizeBytes` of its room are used up. */
  use(candidate: PlacementCandidate, sizeBytes: number): void;
}

export interface PlacementPolicy {
  /** Chooses per block up to `copies` distinct nodes; fewer when there are no more with room. */
  place(
    candidates: readonly PlacementCandidate[],
    request: PlacementRequest,
    random: Random,
  ): readonly (readonly number[])[];
  /** For many copies that are not known all at once: whatever looks at every datanode is done once. */
  round(candidates: readonly PlacementCandidate[], random: Random): PlacementRound;
}
