/** @module How long a metadata node must be silent to be away: longer each time that it came back soon, for then the silence was nothing. */
import type { NodeId } from '../../raft/types.ts';

/**
 * Silence after which a metadata node is away, in milliseconds. A restart that takes less moves nothing; one that takes
 * longer costs the moving of its shards, which must be over within seconds of its death.
 */
export const AWAY_AFTER_MS = 5_000;
/** Each return within RETURN_MEMORY_MS doubles the patience, up to this. */
export const MAX_AWAY_AFTER_MS = 40_000;
/** A node that stays for so long is one like any other again. */
export const RETURN_MEMORY_MS = 300_000;

/** Known to the leader alone, which forgets it with its process: then a node is called away once more too soon. */
export class AwayPatience {
  readonly #returns = new Map<NodeId, { readonly count: number; readonly atMs: number }>();

  /** A node that was away is back. */
  returned(node: NodeId, nowMs: number): void {
    this.#returns.set(node, { count: this.#recentReturns(node, nowMs) + 1, atMs: nowMs });
  }

  /** Silence of this node that is to be taken seriously now. */
  awayAfterMs(node: NodeId, nowMs: number): number {
    return Math.min(MAX_AWAY_AFTER_MS, AWAY_AFTER_MS * 2 ** this.#recentReturns(node, nowMs));
  }

  #recentReturns(node: NodeId, nowMs: number): number {
    const known = this.#returns.get(node);
    return known === undefined || nowMs - known.atMs > RETURN_MEMORY_MS ? 0 : known.count;
  }
}
