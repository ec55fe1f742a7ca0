/** @module What the hunt and the process of one trial say to each other: one order, and one event a line. */

export interface Order {
  /** Absent: the code as it is. */
  readonly mutant?: string;
  /** By name; all that there are for 'all'. */
  readonly scenarios: readonly string[] | 'all';
  readonly swarm: 'raft' | 'cluster';
  /** Both included; none when the last is below the first. */
  readonly firstSeed: number;
  readonly lastSeed: number;
  /** Goes on behind the first seed that finds it. */
  readonly countAll: boolean;
}

export type TrialEvent =
  /** This scenario begins. */
  | { readonly event: 'begin'; readonly name: string }
  /** Without a failure it saw nothing. */
  | { readonly event: 'scenario'; readonly name: string; readonly failure?: string }
  /** This seed begins. */
  | { readonly event: 'seed'; readonly seed: number }
  | { readonly event: 'found'; readonly seed: number; readonly failure: string }
  /** It was no trial: the mutant is wrong, not the code. */
  | { readonly event: 'broken'; readonly failure: string }
  | { readonly event: 'end' };
