/** @module A node that has forgotten promises, and was told how far they may have gone. */
import { describe, expect, it } from 'vitest';
import { ELECTION_TICKS, logOf, ManualNode } from '../../simulations/manual-raft.ts';

const VOTERS = [1, 2, 3];
/** In term 3 it may have voted, and may have acknowledged three entries, the last of term 2. */
const RESTRAINT = { term: 3, last: { term: 2, index: 3 } };

function restrained(vote = 0, term = 1): ManualNode {
  const node = new ManualNode({
    id: 1,
    voters: VOTERS,
    log: logOf(1),
    hardState: { term, vote, commit: 0 },
  });
  node.raw.restrain(RESTRAINT);
  return node;
}

const request = (term: number, logTerm: number, index: number): Parameters<ManualNode['receive']>[0] => ({
  type: 'MsgVote',
  from: 2,
  to: 1,
  term,
  logTerm,
  index,
});

describe('a node that has forgotten promises', () => {
  it('makes the term that it may have voted in its own, with the vote spent, durably, before it says anything', () => {
    const node = restrained();
    expect(node.raw.ready()).toMatchObject({ hardState: { term: 3, vote: 1 }, mustSync: true });
  });

  it('keeps the vote that it remembers of that very term', () => {
    expect(restrained(2, 3).raw.status()).toMatchObject({ term: 3, vote: 2 });
  });

  it('stays in a later term of its own, free to vote there', () => {
    expect(restrained(0, 5).raw.status()).toMatchObject({ term: 5, vote: 0 });
  });

  it('gives no second vote in that term, and in a later one only for a log that has what it may have acknowledged', () => {
    const isGranted = (...asked: Parameters<typeof request>): boolean =>
      restrained().receive(request(...asked))[0]?.reject !== true;
    expect(isGranted(3, 9, 9)).toBe(false);
    expect(isGranted(4, 2, 2)).toBe(false);
    expect(isGranted(4, 1, 9)).toBe(false);
    expect(isGranted(4, 2, 3)).toBe(true);
    expect(isGranted(4, 3, 1)).toBe(true);
  });

  it('follows a leader of that term, and campaigns once it has caught up', () => {
    const node = restrained();
    expect(node.tick(3 * ELECTION_TICKS)).toEqual([]);
    const entries = logOf(1, 2, 2).slice(1);
    const [answer] = node.receive({ type: 'MsgApp', from: 2, to: 1, term: 3, logTerm: 1, index: 1, entries });
    expect(answer).toMatchObject({ type: 'MsgAppResp', index: 3 });
    expect(node.tick(3 * ELECTION_TICKS).map(({ type }) => type)).toContain('MsgVote');
    expect(node.raw.status().term).toBeGreaterThan(RESTRAINT.term);
  });
});
