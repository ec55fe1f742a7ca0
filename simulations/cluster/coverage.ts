/** @module What a run exercised, by name: the swarm is only worth what it has seen, and what no seed sees is not tested. */
import { type Fault, FAULT_KINDS } from './faults.ts';

/** In the order in which people are told. A name that no run ever reports is one that the simulation has forgotten. */
export const SIGHTS = [
  'elections',
  'entries committed',
  'entries applied',
  'files granted to a writer',
  'snapshots installed',
  'leader changes during a snapshot install',
  'voters changed',
  'joint configurations',
  'crashes in a joint configuration',
  'torn log tails',
  'location records written to disk',
  'location records read from disk',
  'location records that could not be read',
  'location records that found no room on disk',
  'location records spoilt on disk',
  'lookups answered during a handover',
  'promises lost that others remember',
  'nodes readmitted under a new number',
  'namespaces made anew from the log',
  'older versions turned away',
  'clusters raised to a newer feature level',
  'quorums lost for good',
  'data lost beyond the policy',
  'cores that served without the rest',
  'equal namespaces at one index',
  'rotten copies found',
  'faults spared by the budget',
  'collection rounds',
  'collection rounds given up',
  'listing errors',
  'copies put aside as garbage',
  'copies brought back',
  'copies deleted',
  'copies of large blocks',
  'pipeline replacements',
  'requests repeated',
  'requests repeated after a leader change',
  'links of little bandwidth',
  'links that lose packets',
] as const;

/** What garbage collection did and met. */
export const COLLECTION_SIGHTS: readonly (typeof SIGHTS)[number][] = [
  'collection rounds',
  'collection rounds given up',
  'listing errors',
  'copies put aside as garbage',
  'copies brought back',
  'copies deleted',
];

export type Sight = (typeof SIGHTS)[number] | `fault: ${Fault['kind']}`;

export class Coverage {
  readonly #counts = new Map<Sight, number>();

  saw(sight: Sight, times = 1): void {
    this.#counts.set(sight, (this.#counts.get(sight) ?? 0) + times);
  }

  /** Of everything there is to be seen, what was not seen included. */
  counts(): Readonly<Record<string, number>> {
    const names: readonly Sight[] = [...SIGHTS, ...FAULT_KINDS.map((kind) => `fault: ${kind}` as const)];
    return Object.fromEntries(names.map((name) => [name, this.#counts.get(name) ?? 0]));
  }
}
