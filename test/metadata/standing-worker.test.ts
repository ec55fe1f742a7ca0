import { describe, expect, it } from 'vitest';
import { verdictOf } from '../../src/metadata/standing-worker.ts';
import type { StandingResponse } from '../../src/protocol/messages.ts';

const asker = { cluster: 'c', epoch: 2, number: 7 };
const answer = (fields: Partial<StandingResponse>): StandingResponse => ({
  cluster: 'c',
  epoch: 2,
  state: 'active',
  roles: ['meta'],
  inConfiguration: false,
  ...fields,
});
const codeOf = (fields: Partial<StandingResponse>): unknown =>
  (verdictOf(answer(fields), asker) as { code?: string } | undefined)?.code;

describe('the standing of a metadata node', () => {
  it('is over once it has left and raft does not count it in any more', () => {
    expect(codeOf({ state: 'left' })).toBe('METADATA_REMOVED');
    expect(codeOf({ state: 'left', inConfiguration: true })).toBeUndefined();
  });

  it('is over when a later epoch has no metadata node of that number', () => {
    expect(codeOf({ epoch: 3, state: 'left' })).toBe('METADATA_SUPERSEDED');
    expect(codeOf({ epoch: 3, roles: ['data'] })).toBe('METADATA_SUPERSEDED');
    expect(codeOf({ epoch: 3, state: '', roles: [] })).toBe('METADATA_SUPERSEDED');
  });

  it('goes on in a later epoch that counts it in', () => {
    expect(codeOf({ epoch: 3 })).toBeUndefined();
  });

  it('is not judged by who does not know it yet, is of an older epoch, or of another cluster', () => {
    expect(codeOf({ state: '', roles: [] })).toBeUndefined();
    expect(codeOf({ epoch: 1, state: 'left' })).toBeUndefined();
    expect(codeOf({ cluster: 'other', epoch: 9, state: 'left' })).toBeUndefined();
  });
});
