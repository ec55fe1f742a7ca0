/** @module What can go wrong with a check itself, apart from what it finds. */
import { HoldfastError } from '../../src/common/errors.ts';

/** CHECK_UNDECIDED: nothing is known of this history. */
export function undecided(operations: number, visited: number): HoldfastError {
  return new HoldfastError({
    code: 'CHECK_UNDECIDED',
    kind: 'unavailable',
    message:
      `No verdict on ${operations} operations of one part: after ${visited} points the search was given up. ` +
      'Give it longer (check:history has --seconds), or record a history with fewer operations at once on one key.',
    facts: { operations, visited },
  });
}

/** CHECK_MALFORMED_HISTORY: `line` counts from 1. */
export function malformed(line: number, problem: string): HoldfastError {
  return new HoldfastError({
    code: 'CHECK_MALFORMED_HISTORY',
    kind: 'refused',
    message: `line ${line}: ${problem}`,
    facts: { line },
  });
}
