/** @module Whom the leader asks before it takes a voter out. */
import { describe, expect, it } from 'vitest';
import type { ConfChangeSingle } from '../../raft/types.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import {
  MembershipManager,
  type MembershipManagerComponents,
} from '../../src/metadata/membership-manager.ts';
import { MemoryNetwork, MemorySwitch } from '../../src/network/memory-network.ts';
import { serve } from '../../src/network/method.ts';
import { Position } from '../../src/protocol/messages.ts';
import { POSITION } from '../../src/protocol/methods.ts';

const COMMIT = 10;
const progress = [1, 2, 3].map((id) => ({ id, match: COMMIT, recentActive: true, isLearner: false }));
const confState = { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: true };
const status = {
  id: 1,
  term: 1,
  raftState: 'StateLeader',
  leadTransferee: 0,
  commit: COMMIT,
  committedInTerm: true,
  confState,
  progress,
};

interface Circumstances {
  readonly thirdAnswers: boolean;
  /** What is otherwise by the time that node 3 answers. */
  readonly meanwhile?: { readonly isLeader?: boolean; readonly leadTransferee?: number };
}

/** Node 1 leads three voters; node 2 was removed. Resolves with what is proposed then. */
async function proposedWhen({ thirdAnswers, meanwhile }: Circumstances): Promise<unknown> {
  let now: Circumstances['meanwhile'] = {};
  const home = new MemorySwitch({ clock: systemClock });
  const common = { switch: home, clock: systemClock, random: systemRandom };
  const [leader, third] = ['peer-1', 'peer-3'].map((peer) => new MemoryNetwork(common, { peer }));
  if (leader === undefined || third === undefined) throw new Error('there are two networks');
  third.authorize(() => true);
  serve(third, POSITION, async () => {
    now = meanwhile;
    return Position.fromPartial({ applied: COMMIT });
  });
  await leader.start();
  if (thirdAnswers) await third.start();
  let proposed: readonly ConfChangeSingle[] | undefined;
  const members = [1, 3].map((number) => ({ number, peer: `peer-${number}` }));
  const manager = new MembershipManager({
    network: leader,
    members: {
      withRole: () => members,
      byNumber: (number: number) => members.find((member) => member.number === number),
    },
    logger: silentLogger,
    clock: systemClock,
    machine: { cluster: () => ({ voters: 3, voterReplacementMs: 60_000 }) },
    driver: {
      get isLeader() {
        return now?.isLeader ?? true;
      },
      status: () => ({ ...status, ...now }),
      proposeConfChange: (changes: readonly ConfChangeSingle[]) => void (proposed = changes),
    },
  } as unknown as MembershipManagerComponents);
  await manager.work();
  await Promise.all([leader.stop(), third.stop()]);
  return proposed;
}

describe('a voter that was removed', () => {
  it('is taken out when a majority of those left answers', async () => {
    expect(await proposedWhen({ thirdAnswers: true })).toEqual([{ type: 'ConfChangeRemoveNode', nodeId: 2 }]);
  });

  it('stays as long as another, who was heard a moment ago, does not: nobody could put that right', async () => {
    expect(await proposedWhen({ thirdAnswers: false })).toBeUndefined();
  });

  it.each([
    ['the leader has begun to hand over', { leadTransferee: 3 }],
    ['another one leads', { isLeader: false }],
  ])('stays when that is not the plan any more by the time of the answer: %s', async (_what, meanwhile) => {
    expect(await proposedWhen({ thirdAnswers: true, meanwhile })).toBeUndefined();
  });
});
