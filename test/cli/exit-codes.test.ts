/** @module The table from errors to exit statuses. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT, exitStatusOf } from '../../cli/exit-codes.ts';
import { PACKAGE } from '../../cli/package-root.ts';
import { type ErrorKind, HoldfastError } from '../../src/common/errors.ts';

const error = (code: string, kind: ErrorKind): HoldfastError =>
  new HoldfastError({ code, kind, message: '' });

describe('the exit status', () => {
  it.each([
    ['NAMESPACE_NOT_FOUND', 'refused', 3],
    ['NAMESPACE_EXISTS', 'refused', 4],
    ['NAMESPACE_INVALID_NAME', 'refused', 5],
    ['NAMESPACE_TOKEN_EXPIRED', 'refused', 6],
    ['METADATA_NO_QUORUM', 'unavailable', 7],
    ['METADATA_OUTCOME_UNKNOWN', 'unknown', 8],
    ['NODE_ALREADY_RUNNING', 'refused', 9],
    ['NETWORK_PORT_IN_USE', 'refused', 9],
    ['NODE_INVALID_ADDRESS', 'refused', 5],
    ['NODE_JOIN_UNREACHABLE', 'unavailable', 7],
    ['STORAGE_CORRUPT_BLOCK', 'broken', 10],
    ['CLI_INTERRUPTED', 'unavailable', 130],
  ] as const)('of %s (%s) is %i', (code, kind, status) => {
    expect(exitStatusOf(error(code, kind))).toBe(status);
  });

  it('of a code without a row follows its kind', () => {
    const kinds = ['refused', 'unavailable', 'unknown', 'broken'] as const;
    expect(kinds.map((kind) => exitStatusOf(error('SOMETHING_NEW', kind)))).toEqual([5, 7, 8, 10]);
  });

  it('of anything else is 1', () => expect(exitStatusOf(new Error('bug'))).toBe(EXIT.failed));

  it('is one number per meaning', () => {
    const numbers = Object.values(EXIT);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('is in the table of the README, which has no other', () => {
    const [, table = ''] = readFileSync(join(PACKAGE.root, 'README.md'), 'utf8').split(
      '\n| status | meaning |',
    );
    const cells = (table.split('\n\n', 1)[0] ?? '').split('|').map((cell) => cell.trim());
    const told = cells.filter((cell) => /^\d+$/.test(cell)).map(Number);
    expect(told.toSorted((a, b) => a - b)).toEqual(Object.values(EXIT).toSorted((a, b) => a - b));
  });
});
