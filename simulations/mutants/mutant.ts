/** @module What a mutant is: a bug that other systems shipped, put back by a change of one place in one file. */

/**
 * Which swarm meets the bug without being told of it: that of the consensus core ('raft'), that of whole clusters
 * ('cluster'), or none that there is; then a sentence says why.
 */
export type Swarm = 'raft' | 'cluster' | { readonly none: string };

export interface Mutant {
  readonly name: string;
  /** Of shipped-bugs.ts, 'S01' to 'S40', or 'H01' and on. */
  readonly bug: string;
  /** The one that must catch it; a file of simulations/scenarios. */
  readonly scenario: string;
  readonly swarm: Swarm;
  /** From the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once, and what is to stand there instead. */
  readonly find: string;
  readonly replace: string;
}
