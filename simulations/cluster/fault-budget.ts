/** @module How many metadata nodes a run may rob of what they have promised: as many as the cluster is built for, or more. */
import type { NodeId } from '../../raft/types.ts';
import type { Prng } from '../prng.ts';
import type { Coverage } from './coverage.ts';
import { type ElectorateSource, electoratesIn } from './electorates.ts';
import type { MetadataProcess } from './metadata-process.ts';

/** A metadata node, as far as it can be robbed. */
export interface Voter extends ElectorateSource {
  readonly number: NodeId;
}

export interface FaultBudgetComponents<Node extends Voter> {
  readonly coverage: Pick<Coverage, 'saw'>;
  /** Those that run or will run again. */
  readonly nodes: () => readonly Node[];
}

export interface FaultBudgetOptions {
  /** More may be robbed than there are spare voters. */
  readonly isUnlimited: boolean;
}

/**
 * Of n voters (n - 1) / 2 may lose everything, and the cluster must serve again. A voter that lost its state never votes
 * again under its number, so with more than that it may stand still for ever, which is no failure; a wrong answer is.
 */
export class FaultBudget<Node extends Voter = MetadataProcess> {
  readonly #components: FaultBudgetComponents<Node>;
  readonly #isUnlimited: boolean;
  readonly #robbed = new Set<NodeId>();
  #isQuorumLost = false;

  constructor(components: FaultBudgetComponents<Node>, options: FaultBudgetOptions) {
    this.#components = components;
    this.#isUnlimited = options.isUnlimited;
  }

  /** Nobody can expect the cluster to serve again. */
  get isQuorumLost(): boolean {
    return this.#isQuorumLost;
  }

  /** Whether `node` may lose its state now; it counts as lost from here on. */
  takes(node: Node): boolean {
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
  spareVoters(random: Prng): readonly Node[] {
    const spare: Node[] = [];
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
    return this.#electorates().some(
      (voters) => voters.filter((id) => gone.has(id)).length * 2 >= voters.length,
    );
  }

  /** Which of them is in force, and which will be, may not be settled. Where nobody knows any, everybody votes. */
  #electorates(): readonly (readonly NodeId[])[] {
    const nodes = this.#components.nodes();
    const known = nodes.flatMap(electoratesIn);
    return known.length > 0 ? known : [nodes.map(({ number }) => number)];
  }
}
