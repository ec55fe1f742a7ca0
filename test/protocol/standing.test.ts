import { describe, expect, it } from 'vitest';
import { standingVerdict } from '../../src/protocol/standing.ts';

const asker = { cluster: 'c', epoch: 2, number: 7 };
const active = { cluster: 'c', epoch: 2, state: 'active', roles: ['data'], inConfiguration: false };
const verdict = (fields: Partial<typeof active>, role: 'meta' | 'data' = 'data') =>
  standingVerdict({ ...active, ...fields }, asker, role);

describe('the standing of a datanode', () => {
  it('is good while it is an active member with its role, in a later epoch, too', () => {
    expect(verdict({})).toBeUndefined();
    expect(verdict({ epoch: 3 })).toBeUndefined();
  });

  it('is "removed" once it has left, whatever the epoch', () => {
    expect(verdict({ state: 'left' })).toBe('removed');
    expect(verdict({ state: 'left', epoch: 3 })).toBe('removed');
  });

  it('is "superseded" when a later epoch does not know it: it joined in what the recovery lost', () => {
    expect(verdict({ state: '', roles: [], epoch: 3 })).toBe('superseded');
  });

  it('is not judged by who does not know it yet, is of an older epoch, or of another cluster', () => {
    expect(verdict({ state: '', roles: [] })).toBeUndefined();
    expect(verdict({ state: 'left', epoch: 1 })).toBeUndefined();
    expect(verdict({ state: 'left', cluster: 'other' })).toBeUndefined();
  });

  it('is not judged while the same number still counts in raft', () => {
    expect(verdict({ state: 'left', inConfiguration: true })).toBeUndefined();
  });

  it('of a metadata node that became a datanode by a recovery is over for one role and good for the other', () => {
    expect(verdict({ epoch: 3 }, 'meta')).toBe('superseded');
    expect(verdict({ epoch: 3 }, 'data')).toBeUndefined();
  });
});
