/** @module Where a round began, and that no gap between two looks makes it longer. */
import { expect, it } from 'vitest';
import type { Status } from '../../raft/raw-node.ts';
import { CommitRounds, ROUND_MS } from '../../src/metadata/commit-rounds.ts';

function leading(commit: number, term = 1): Status {
  return { raftState: 'StateLeader', term, commit } as Status;
}

it('says what was committed a round ago, and never more than a round', () => {
  const rounds = new CommitRounds();
  for (let nowMs = 0; nowMs <= 2_000; nowMs += 50) rounds.observe(leading(nowMs), nowMs);
  expect(rounds.start(leading(2_000), 2_000)).toBe(2_000 - ROUND_MS);
  expect(rounds.start(leading(2_100), 2_100)).toBe(2_100 - ROUND_MS);
});

it('takes what is committed now when there was no look in the last round', () => {
  const rounds = new CommitRounds();
  expect(rounds.start(leading(7), 100)).toBe(7);
  rounds.observe(leading(1), 0);
  expect(rounds.start(leading(9), ROUND_MS)).toBe(1);
  expect(rounds.start(leading(9), ROUND_MS + 1)).toBe(9);
});

it('forgets with each leadership what the one before had committed', () => {
  const rounds = new CommitRounds();
  rounds.observe(leading(1), 0);
  rounds.observe(leading(8, 2), 100);
  expect(rounds.start(leading(9, 2), 120)).toBe(8);
  rounds.observe({ ...leading(10, 2), raftState: 'StateFollower' }, 130);
  rounds.observe(leading(12, 2), 160);
  expect(rounds.start(leading(12, 2), 160)).toBe(12);
});
