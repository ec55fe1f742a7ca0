import { describe, expect, it } from 'vitest';
import type { ProgressStatus } from '../../raft/status.ts';
import type { Status } from '../../raft/raw-node.ts';
import { nextStep } from '../../src/metadata/membership-manager.ts';

function leaderWith(voters: number[], learners: number[] = [], match: Record<number, number> = {}): Status {
  const progress = [...voters, ...learners].map(
    (id): ProgressStatus => ({
      id,
      match: match[id] ?? 1_000,
      next: 1_001,
      state: 'StateReplicate',
      isLearner: learners.includes(id),
      recentActive: true,
      paused: false,
      pendingSnapshot: 0,
      inflight: 0,
      inflightFull: false,
    }),
  );
  return {
    id: 1,
    term: 1,
    vote: 1,
    lead: 1,
    raftState: 'StateLeader',
    leadTransferee: 0,
    commit: 1_000,
    applied: 1_000,
    firstIndex: 1,
    lastIndex: 1_000,
    confState: { voters, votersOutgoing: [], learners, learnersNext: [], autoLeave: false },
    committedInTerm: true,
    progress,
  };
}

describe('the next step of membership', () => {
  it('is none when the configuration is what the registry says', () => {
    expect(nextStep(leaderWith([1, 2, 3]), [1, 2, 3], 5)).toBeUndefined();
  });

  it('adds a newcomer as learner first', () => {
    expect(nextStep(leaderWith([1]), [1, 2], 5)).toEqual({
      kind: 'change',
      change: { type: 'ConfChangeAddLearnerNode', nodeId: 2 },
    });
  });

  it('promotes a learner only once it has caught up', () => {
    expect(nextStep(leaderWith([1], [2], { 2: 500 }), [1, 2], 5)).toBeUndefined();
    expect(nextStep(leaderWith([1], [2], { 2: 900 }), [1, 2], 5)).toEqual({
      kind: 'change',
      change: { type: 'ConfChangeAddNode', nodeId: 2 },
    });
  });

  it('does not promote a learner that never answered, however short the log is', () => {
    const young: Status = { ...leaderWith([1], [2], { 2: 0 }), commit: 5 };
    expect(nextStep(young, [1, 2], 5)).toBeUndefined();
  });

  it('never has more voters than allowed', () => {
    expect(nextStep(leaderWith([1, 2, 3], [4]), [1, 2, 3, 4], 3)).toBeUndefined();
  });

  it('removes who left before it adds anybody', () => {
    expect(nextStep(leaderWith([1, 2, 3]), [1, 3, 4], 5)).toEqual({
      kind: 'change',
      change: { type: 'ConfChangeRemoveNode', nodeId: 2 },
    });
  });

  it('hands leadership to the best voter when the leader itself left', () => {
    expect(nextStep(leaderWith([1, 2, 3], [], { 2: 900, 3: 950 }), [2, 3], 5)).toEqual({
      kind: 'transfer',
      to: 3,
    });
  });
});
