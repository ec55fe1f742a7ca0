/** @module What came of one mutant. */
import type { Trial } from './hunt.ts';
import type { Mutant } from './mutant.ts';

export interface Verdict {
  readonly mutant: string;
  readonly bug: string;
  readonly file: string;
  readonly scenario: string;
  /** What the scenario said; undefined when it let the bug pass. */
  readonly caught?: string;
  /** 'none' with a reason where no swarm can meet it. */
  readonly swarm: 'raft' | 'cluster' | 'none';
  readonly whyNone?: string;
  readonly seedsRun: number;
  /** Seeds that found it; only the first one unless all were run. */
  readonly foundBy: readonly number[];
  readonly firstFinding?: string;
  /** Why there was no trial: the mutant must be mended. */
  readonly broken?: string;
}

export function verdictOf(mutant: Mutant, { scenarios, seedsRun, found, broken }: Trial): Verdict {
  const { name, bug, file, scenario, swarm } = mutant;
  const caught = scenarios.get(scenario);
  const [first] = found;
  return {
    mutant: name,
    bug,
    file,
    scenario,
    ...(caught !== undefined && { caught }),
    swarm: typeof swarm === 'string' ? swarm : 'none',
    ...(typeof swarm !== 'string' && { whyNone: swarm.none }),
    seedsRun,
    foundBy: found.map(({ seed }) => seed),
    ...(first !== undefined && { firstFinding: first.failure }),
    ...(broken !== undefined && { broken }),
  };
}

/** Within so many the swarm meets each mutant that is said to be its own; that fewer did not is chance. */
export const SEEDS_TO_BE_MET = 500;

/** Its scenario catches it, and so does the swarm that is said to, if it was given seeds enough. */
export function isCaught({ caught, swarm, seedsRun, foundBy, broken }: Verdict): boolean {
  if (broken !== undefined || caught === undefined) return false;
  return swarm === 'none' || foundBy.length > 0 || seedsRun < SEEDS_TO_BE_MET;
}
