/** @module How many metadata nodes a run may rob of what they have promised: as many as the cluster is built for, or more. */
import type { NodeId } from '../../raft/types.ts';
import type { Prng } from '../prng.ts';
import type { Coverage } from './coverage.ts';
import type { MetadataProcess } from './metadata-process.ts';

export interface FaultBudgetComponents {
  readonly coverage: Coverage;
  /** Metadata nodes, those that are gone included. */
  readonly nodes: () => readonly MetadataProcess[];
}

export interface FaultBudgetOptions {
  /** More may be robbed than there are spare voters. */
  readonly isUnlimited: boolean;
}

/**
 * Of n voters (n - 1) / 2 may lose everything, and the cluster must serve again. A voter that lost its state never votes
 * again under its number, so with more than that it may stand still for ever, which is no failure; a wrong answer is.
 */
export class FaultBudget {
  readonly #components: FaultBudgetComponents;
  readonly #isUnlimited: boolean;
  readonly #robbed = new Set<NodeId>();
  #isQuorumLost = false;

  constructor(components: FaultBudgetComponents, options: FaultBudgetOptions) {
    this.#components = components;
    this.#isUnlimited = options.isUnlimited;
  }

  /** Nobody can expect the cluster to serve again. */
  get isQuorumLost(): boolean {
    return this.#isQuorumLost;
  }

  /** Whether `node` may lose its state now; it counts as lost from here on. */
  takes(node: MetadataProcess): boolean {
    const { coverage } = this.#components;
    if (this.#isQuorumGone(new Set([...this.#robbed, node.number]))) {
      if (!this.#isUnlimited) {
        coverage.saw('faults spared by the budget');
        return false;
      }
      this.#isQuorumLost = true;
      coverage.saw('quorums lost for good');
    }
    this.#robbed.add(node.number);
    return true;
  }

  /** As many voters as the rest can do without, any of them. */
  spareVoters(random: Prng): readonly MetadataProcess[] {
    const spare: MetadataProcess[] = [];
    const gone = new Set(this.#robbed);
    const candidates = this.#components.nodes().filter(({ node }) => node !== undefined);
    while (candidates.length > 0) {
      const [candidate] = candidates.splice(random.int(candidates.length), 1);
      if (candidate === undefined || this.#isQuorumGone(new Set([...gone, candidate.number]))) continue;
      gone.add(candidate.number);
      spare.push(candidate);
    }
    return spare;
  }

  #isQuorumGone(gone: ReadonlySet<NodeId>): boolean {
    return this.#configurations().some(
      (voters) => voters.filter((id) => gone.has(id)).length * 2 >= voters.length,
    );
  }

  /**
   * Voters as each node that runs has them: which of them is in force may not be settled. Without any node that runs
   * nobody knows, and everybody votes.
   */
  #configurations(): readonly (readonly NodeId[])[] {
    const nodes = this.#components.nodes();
    const known = nodes.flatMap(({ node }) => {
      if (node === undefined) return [];
      const { voters, votersOutgoing } = node.status().confState;
      return [voters, votersOutgoing].filter(({ length }) => length > 0);
    });
    return known.length > 0 ? known : [nodes.map(({ number }) => number)];
  }
}
