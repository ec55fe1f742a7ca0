/** @module What callers are told of a refusal. */
import { expect, it } from 'vitest';
import { accepted } from '../../src/client/result.ts';
import { exists, notEmpty, toRefused } from '../../src/namespace/errors.ts';
import type { HoldfastError } from '../../src/common/errors.ts';

function told(error: HoldfastError): () => unknown {
  return () => accepted('anything', { kind: { $case: 'refused', value: toRefused(error) } });
}

it('counts what is left in a directory as people do, though the replicated words do not', () => {
  expect(notEmpty('/d', 1).message).toContain('1 entries');
  expect(told(notEmpty('/d', 1))).toThrow('/d still has 1 entry. Remove it first, or remove the whole tree.');
  expect(told(notEmpty('/d', 2))).toThrow('/d still has 2 entries.');
  expect(told(exists('/d'))).toThrow('/d exists already.');
});
