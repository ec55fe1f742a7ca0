/** @module All mutants there are. */
import { ELECTION_MUTANTS } from './election-mutants.ts';
import { MEMBERSHIP_MUTANTS } from './membership-mutants.ts';
import type { Mutant } from './mutant.ts';
import { NAMESPACE_MUTANTS } from './namespace-mutants.ts';
import { OWN_MUTANTS } from './own-mutants.ts';
import { READ_MUTANTS } from './read-mutants.ts';
import { REPLICATION_MUTANTS } from './replication-mutants.ts';
import { SNAPSHOT_MUTANTS } from './snapshot-mutants.ts';
import { STORAGE_MUTANTS } from './storage-mutants.ts';

/** In the order of the bugs. */
export const MUTANTS: readonly Mutant[] = [
  ...ELECTION_MUTANTS,
  ...REPLICATION_MUTANTS,
  ...READ_MUTANTS,
  ...SNAPSHOT_MUTANTS,
  ...MEMBERSHIP_MUTANTS,
  ...STORAGE_MUTANTS,
  ...NAMESPACE_MUTANTS,
  ...OWN_MUTANTS,
].toSorted((a, b) => a.bug.localeCompare(b.bug));

/** Throws RangeError for a name that there is not. */
export function mutantNamed(name: string): Mutant {
  const mutant = MUTANTS.find((each) => each.name === name);
  if (mutant === undefined)
    throw new RangeError(
      `There is no mutant '${name}'; those that there are: ${MUTANTS.map((each) => each.name).join(', ')}.`,
    );
  return mutant;
}
