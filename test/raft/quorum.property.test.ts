import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  jointCommittedIndex,
  jointVoteResult,
  majorityCommittedIndex,
  majorityVoteResult,
} from '../../raft/quorum.ts';
import type { NodeId } from '../../raft/types.ts';

const voters = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 7 }).map((ids) => new Set(ids));
// Beyond 9, so that a sort by text instead of by number shows.
const acked = fc.dictionary(fc.constantFrom(...'123456789'), fc.integer({ min: 0, max: 120 }));
const votes = fc
  .dictionary(fc.constantFrom(...'123456789'), fc.boolean())
  .map((cast) => new Map(Object.entries(cast).map(([id, vote]) => [Number(id), vote])));

/** Tries every index: the largest that more than half of the voters have reached. */
function slowCommittedIndex(ids: ReadonlySet<NodeId>, at: (id: NodeId) => number): number {
  if (ids.size === 0) return Infinity;
  let best = 0;
  for (let index = 0; index <= 120; index++)
    if ([...ids].filter((id) => at(id) >= index).length * 2 > ids.size) best = index;
  return best;
}

/** Tries every way in which the missing votes may fall. */
function slowVoteResult(ids: ReadonlySet<NodeId>, cast: ReadonlyMap<NodeId, boolean>): string {
  const wins = (missing: boolean): boolean =>
    ids.size === 0 || [...ids].filter((id) => cast.get(id) ?? missing).length * 2 > ids.size;
  if (wins(false)) return 'VoteWon';
  return wins(true) ? 'VotePending' : 'VoteLost';
}

it('commits exactly the largest index that more than half have (S31)', () => {
  fc.assert(
    fc.property(voters, acked, (ids, known) => {
      const at = (id: NodeId): number => known[id] ?? 0;
      expect(majorityCommittedIndex(ids, (id) => known[id])).toBe(slowCommittedIndex(ids, at));
    }),
  );
});

it('calls an election won or lost exactly when no missing vote can change that', () => {
  fc.assert(
    fc.property(voters, votes, (ids, cast) => {
      expect(majorityVoteResult(ids, cast)).toBe(slowVoteResult(ids, cast));
    }),
  );
});

it('wants both halves of a joint configuration, for commits and for votes', () => {
  fc.assert(
    fc.property(voters, voters, acked, votes, (incoming, outgoing, known, cast) => {
      const at = (id: NodeId): number => known[id] ?? 0;
      const slowIndex = Math.min(slowCommittedIndex(incoming, at), slowCommittedIndex(outgoing, at));
      expect(jointCommittedIndex([incoming, outgoing], at)).toBe(slowIndex);
      const halves = [slowVoteResult(incoming, cast), slowVoteResult(outgoing, cast)];
      const won = halves.every((half) => half === 'VoteWon');
      const lost = halves.includes('VoteLost');
      expect(jointVoteResult([incoming, outgoing], cast)).toBe(
        won ? 'VoteWon' : lost ? 'VoteLost' : 'VotePending',
      );
    }),
  );
});
