import { describe, expect, it } from 'vitest';
import type { ProgressStatus } from '../../raft/status.ts';
import type { Status } from '../../raft/raw-node.ts';
import {
  type MembershipStep,
  nextStep,
  type VoterSettings,
  votersAfter,
} from '../../src/metadata/voter-plan.ts';

interface World {
  readonly voters: number[];
  readonly learners?: number[];
  readonly outgoing?: number[];
  readonly match?: Record<number, number>;
  /** By number; everybody else was heard of just now. */
  readonly silentMs?: Record<number, number>;
  /** Active metadata members; all of the configuration when absent. */
  readonly wanted?: number[];
  readonly id?: number;
  /** What was committed a round ago; as much as now when absent. */
  readonly roundStart?: number;
}

const COMMIT = 1_000;
const MINUTE_MS = 60_000;

function step(world: World, settings: Partial<VoterSettings> = {}): MembershipStep | undefined {
  const { voters, learners = [], outgoing = [], match = {}, silentMs = {}, wanted, id = 1 } = world;
  const { roundStart = COMMIT } = world;
  const silent = (node: number): number => silentMs[node] ?? 0;
  const progress = [...new Set([...voters, ...outgoing, ...learners])].map(
    (node): ProgressStatus => ({
      id: node,
      match: match[node] ?? COMMIT,
      next: COMMIT + 1,
      state: 'StateReplicate',
      isLearner: learners.includes(node),
      recentActive: silent(node) < 1_000,
      paused: false,
      pendingSnapshot: 0,
      inflight: 0,
      inflightFull: false,
    }),
  );
  const status: Status = {
    id,
    term: 1,
    vote: id,
    lead: id,
    raftState: 'StateLeader',
    leadTransferee: 0,
    commit: COMMIT,
    applied: COMMIT,
    firstIndex: 1,
    lastIndex: COMMIT,
    confState: { voters, votersOutgoing: outgoing, learners, learnersNext: [], autoLeave: true },
    committedInTerm: true,
    progress,
  };
  const contacts = { silentMs: silent, isAlive: (node: number) => silent(node) < 2_000 };
  return nextStep(
    { status, wanted: wanted ?? [...voters, ...learners], contacts, roundStart },
    { voters: 3, voterReplacementMs: MINUTE_MS, ...settings },
  );
}

function change(...changes: readonly (readonly ['add' | 'remove' | 'demote', number])[]): MembershipStep {
  const types = {
    add: 'ConfChangeAddNode',
    remove: 'ConfChangeRemoveNode',
    demote: 'ConfChangeAddLearnerNode',
  } as const;
  return { kind: 'change', changes: changes.map(([kind, nodeId]) => ({ type: types[kind], nodeId })) };
}

describe('the next step of membership', () => {
  it('is none when the configuration is what the registry and the settings say', () => {
    expect(step({ voters: [1, 2, 3], learners: [4] })).toBeUndefined();
  });

  it('adds a newcomer as learner first', () => {
    expect(step({ voters: [1], wanted: [1, 2] })).toEqual(change(['demote', 2]));
  });

  it('promotes a learner only once it has caught up', () => {
    expect(step({ voters: [1], learners: [2], match: { 2: 500 } })).toBeUndefined();
    expect(step({ voters: [1], learners: [2], match: { 2: 900 } })).toEqual(change(['add', 2]));
  });

  it('promotes a learner that is a round behind, however many entries that is, and none that is behind further', () => {
    const world = { voters: [1], learners: [2], roundStart: 400 };
    expect(step({ ...world, match: { 2: 399 } })).toBeUndefined();
    expect(step({ ...world, match: { 2: 400 } })).toEqual(change(['add', 2]));
  });

  it('does not promote a learner that never answered, however short the log is', () => {
    expect(step({ voters: [1], learners: [2], match: { 2: 0 } })).toBeUndefined();
  });

  it('waits while a joint configuration is being left', () => {
    expect(step({ voters: [1, 2], outgoing: [1, 3], wanted: [1, 2] })).toBeUndefined();
  });
});

describe('the number of voters', () => {
  it('stays odd above two: the fourth of four waits for a fifth, and both come in at once', () => {
    expect(step({ voters: [1, 2, 3], learners: [4] }, { voters: 5 })).toBeUndefined();
    expect(step({ voters: [1, 2, 3], learners: [4, 5] }, { voters: 5 })).toEqual(
      change(['add', 4], ['add', 5]),
    );
  });

  it('is never more than the setting, and falls with it, the furthest behind first', () => {
    expect(step({ voters: [1, 2, 3], learners: [4, 5] })).toBeUndefined();
    const five = { voters: [1, 2, 3, 4, 5], match: { 2: 900, 4: 950 } };
    expect(step(five, { voters: 3 })).toEqual(change(['demote', 2], ['demote', 4]));
  });

  it('falls to three when two of five are lost, so that one more may be', () => {
    const world = { voters: [1, 2, 3, 4, 5], silentMs: { 4: MINUTE_MS, 5: MINUTE_MS } };
    expect(step(world, { voters: 5 })).toEqual(change(['demote', 4], ['demote', 5]));
  });

  it('does not fall below three because one is lost: nobody would gain by it', () => {
    expect(step({ voters: [1, 2, 3], silentMs: { 3: 10 * MINUTE_MS } })).toBeUndefined();
  });
});

describe('a voter that is silent', () => {
  it('keeps its place until the configured time is over, and then a waiting learner has it, in one step', () => {
    const world = { voters: [1, 2, 3], learners: [4] };
    expect(step({ ...world, silentMs: { 3: MINUTE_MS - 1 } })).toBeUndefined();
    expect(step({ ...world, silentMs: { 3: MINUTE_MS } })).toEqual(change(['add', 4], ['demote', 3]));
  });

  it('is not replaced by a learner that is silent itself or far behind', () => {
    const world = { voters: [1, 2, 3], learners: [4] };
    expect(step({ ...world, silentMs: { 3: MINUTE_MS, 4: 3_000 } })).toBeUndefined();
    expect(step({ ...world, silentMs: { 3: MINUTE_MS }, match: { 4: 100 } })).toBeUndefined();
  });
});

describe('a voter that has left', () => {
  it('goes, and a waiting learner comes in its place in the same step', () => {
    expect(step({ voters: [1, 2, 3], wanted: [1, 2] })).toEqual(change(['remove', 3]));
    expect(step({ voters: [1, 2, 3], learners: [4], wanted: [1, 2, 4] })).toEqual(
      change(['add', 4], ['remove', 3]),
    );
  });

  it('goes on voting while those who stay have no living majority', () => {
    expect(step({ voters: [1, 2, 3], wanted: [1, 3], silentMs: { 3: 5_000 } })).toBeUndefined();
    expect(step({ voters: [1, 2, 3], wanted: [1], silentMs: { 3: 5_000 } })).toEqual(
      change(['remove', 2], ['remove', 3]),
    );
  });

  it('hands leadership to the best voter that stays when it leads', () => {
    const match = { 2: 900, 3: 950 };
    expect(step({ voters: [1, 2, 3], wanted: [2, 3], match })).toEqual({ kind: 'transfer', to: 3 });
    expect(step({ voters: [1, 2, 3], wanted: [2], match })).toEqual({ kind: 'transfer', to: 2 });
  });

  it('makes a learner that has caught up a voter when it leads alone, and hands over then', () => {
    expect(step({ voters: [1], learners: [2], wanted: [2] })).toEqual(change(['add', 2]));
    expect(step({ voters: [1], learners: [2], wanted: [2], match: { 2: 500 } })).toBeUndefined();
    expect(step({ voters: [1, 2], wanted: [2] })).toEqual({ kind: 'transfer', to: 2 });
  });

  it('goes before anybody else comes', () => {
    expect(step({ voters: [1, 2, 3], learners: [4], wanted: [1, 2, 3, 5] })).toEqual(change(['remove', 4]));
  });
});

describe('who votes after a step', () => {
  const status = { confState: { voters: [1, 2, 3] } } as unknown as Status;

  it('is who is added, and nobody who is removed or demoted', () => {
    expect(votersAfter(change(['add', 4]), status)).toEqual([1, 2, 3, 4]);
    expect(votersAfter(change(['remove', 2]), status)).toEqual([1, 3]);
    expect(votersAfter(change(['add', 4], ['demote', 1]), status)).toEqual([2, 3, 4]);
    expect(votersAfter(change(['demote', 5]), status)).toEqual([1, 2, 3]);
    expect(votersAfter({ kind: 'transfer', to: 2 }, status)).toEqual([1, 2, 3]);
  });
});
