/** @module What this node remembers of the other metadata nodes: how far each of them has said that it is. */
import type { NodeId } from '../../raft/types.ts';

/** One run of a metadata node on its data. */
export interface Incarnation {
  readonly number: NodeId;
  /** Which start of the node with this log; kept with the log, so an older copy counts from an older number. */
  readonly boot: number;
  /** Drawn at the start: two runs that both believe to be the same boot differ in it. */
  readonly id: number;
  /** RaftLogStore.sequence at the start. */
  readonly openedAt: number;
}

/** The furthest that was heard of a node. */
export interface Seen {
  readonly number: NodeId;
  readonly boot: number;
  readonly id: number;
  /** Whatever the node had promised was in the first so many writes of its log. */
  readonly sequence: number;
}

/** Where the memory outlives the process. */
export interface WitnessStore {
  load(): Promise<readonly Seen[]>;
  save(seen: readonly Seen[]): Promise<void>;
}

/**
 * Every promise of a node (a vote, an acknowledgement) is in a write of its log before it leaves, and carries the number
 * of writes so far. A log that is opened with fewer writes than its node has told somebody has been put back to an
 * earlier time: S16 of simulations/README.md.
 */
export class Witness {
  readonly #seen = new Map<NodeId, Seen>();
  #changes = 0;

  constructor(remembered: readonly Seen[] = []) {
    for (const seen of remembered) this.#seen.set(seen.number, seen);
  }

  /** Rises whenever there is more to remember. */
  get changes(): number {
    return this.#changes;
  }

  /** Remembers the claim, and returns true, unless it comes from a run that has forgotten what it said before. */
  observe(incarnation: Incarnation, sequence: number): boolean {
    const seen = this.#seen.get(incarnation.number);
    if (!fits(incarnation, seen)) return false;
    const { number, boot, id } = incarnation;
    if (seen === undefined || seen.boot < boot || seen.sequence < sequence) {
      this.#seen.set(number, { number, boot, id, sequence: Math.max(sequence, seen?.sequence ?? 0) });
      this.#changes += 1;
    }
    return true;
  }

  of(number: NodeId): Seen | undefined {
    return this.#seen.get(number);
  }

  /** All of it, without the nodes that `isGone`: numbers are never used again. */
  remembered(isGone: (number: NodeId) => boolean): readonly Seen[] {
    for (const number of this.#seen.keys()) if (isGone(number)) this.#seen.delete(number);
    return [...this.#seen.values()];
  }
}

/** A later boot must have begun with everything said before it; within one boot there is one run. Pure. */
export function fits(incarnation: Incarnation, seen: Seen | undefined): boolean {
  if (seen === undefined) return true;
  if (incarnation.boot > seen.boot) return incarnation.openedAt >= seen.sequence;
  return incarnation.boot === seen.boot && incarnation.id === seen.id;
}
