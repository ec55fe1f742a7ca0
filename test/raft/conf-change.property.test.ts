/** @module Configuration changes against a slow obvious model: who votes where, computed from sets alone. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Changer } from '../../raft/conf-change.ts';
import { restoreConfiguration } from '../../raft/conf-restore.ts';
import { isRaftError } from '../../raft/errors.ts';
import { ProgressTracker } from '../../raft/tracker.ts';
import type { ConfChangeSingle, ConfState, NodeId } from '../../raft/types.ts';

const LIMITS = { maxInflightMsgs: 4, maxInflightBytes: 0 };
const IDS = 6;

type Step =
  | { readonly kind: 'simple' | 'enter'; readonly changes: readonly ConfChangeSingle[] }
  | { readonly kind: 'leave' };

const changes: fc.Arbitrary<ConfChangeSingle[]> = fc.array(
  fc.record({
    type: fc.constantFrom(
      'ConfChangeAddNode' as const,
      'ConfChangeAddLearnerNode' as const,
      'ConfChangeRemoveNode' as const,
      'ConfChangeUpdateNode' as const,
    ),
    nodeId: fc.integer({ min: 1, max: IDS }),
  }),
  { maxLength: 4 },
);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('simple' as const, 'enter' as const), changes }),
    fc.record({ kind: fc.constant('leave' as const) }),
  ),
  { maxLength: 25 },
);

/** Each node's part in the incoming half, and whether it votes in the outgoing one. */
interface Model {
  readonly roles: ReadonlyMap<NodeId, 'voter' | 'learner'>;
  readonly outgoing: ReadonlySet<NodeId>;
}

function votersOf({ roles }: Model): NodeId[] {
  return [...roles].filter(([, role]) => role === 'voter').map(([id]) => id);
}

/** Undefined where the rules forbid the step. */
function change(model: Model, step: Step): Model | undefined {
  const isJoint = model.outgoing.size > 0;
  if (step.kind === 'leave') return isJoint ? { ...model, outgoing: new Set() } : undefined;
  if (isJoint) return undefined;
  const before = votersOf(model);
  if (step.kind === 'enter' && before.length === 0) return undefined;
  const roles = new Map(model.roles);
  for (const { type, nodeId } of step.changes) {
    if (type === 'ConfChangeAddNode') roles.set(nodeId, 'voter');
    if (type === 'ConfChangeAddLearnerNode') roles.set(nodeId, 'learner');
    if (type === 'ConfChangeRemoveNode') roles.delete(nodeId);
  }
  const next = { roles, outgoing: new Set(step.kind === 'enter' ? before : []) };
  const after = votersOf(next);
  if (after.length === 0) return undefined;
  const moved = [...before, ...after].filter((id) => before.includes(id) !== after.includes(id));
  return step.kind === 'simple' && moved.length > 1 ? undefined : next;
}

function confStateOf({ roles, outgoing }: Model, autoLeave: boolean): ConfState {
  const ascending = (ids: Iterable<NodeId>): NodeId[] => [...ids].toSorted((a, b) => a - b);
  const learners = [...roles].filter(([, role]) => role === 'learner').map(([id]) => id);
  return {
    voters: ascending(votersOf({ roles, outgoing })),
    votersOutgoing: ascending(outgoing),
    // Who still votes in the old half is no learner yet.
    learners: ascending(learners.filter((id) => !outgoing.has(id))),
    learnersNext: ascending(learners.filter((id) => outgoing.has(id))),
    autoLeave,
  };
}

function apply(tracker: ProgressTracker, step: Step): boolean {
  const changer = new Changer(tracker, 1);
  try {
    const changed =
      step.kind === 'leave'
        ? changer.leaveJoint()
        : step.kind === 'simple'
          ? changer.simple(step.changes)
          : changer.enterJoint(true, step.changes);
    tracker.switchTo(changed.configuration, changed.progress);
    return true;
  } catch (error) {
    if (!isRaftError(error, 'RAFT_CONF_CHANGE_INVALID')) throw error;
    return false;
  }
}

it('makes exactly the changes that the rules allow, keeps progress of exactly the members, and can be restored', () => {
  fc.assert(
    fc.property(steps, (script) => {
      const tracker = new ProgressTracker(LIMITS);
      let model: Model = { roles: new Map(), outgoing: new Set() };
      for (const step of script) {
        const next = change(model, step);
        expect(apply(tracker, step)).toBe(next !== undefined);
        model = next ?? model;
        const confState = confStateOf(model, model.outgoing.size > 0);
        expect(tracker.confState()).toEqual(confState);
        const members = new Set([...model.roles.keys(), ...model.outgoing]);
        expect(new Set(tracker.progressMap.keys())).toEqual(members);
        for (const [id, { isLearner }] of tracker.members())
          expect(isLearner).toBe(confState.learners.includes(id));

        const restored = new ProgressTracker(LIMITS);
        const { configuration, progress } = restoreConfiguration(confState, 1, LIMITS);
        restored.switchTo(configuration, progress);
        expect(restored.confState()).toEqual(confState);
      }
    }),
  );
});

it('two configurations that follow each other have no quorums that miss each other', () => {
  /** All ways to say yes, over the ids 1 to IDS. */
  const coalitions = Array.from(
    { length: 2 ** IDS },
    (_, bits) => new Map(Array.from({ length: IDS }, (_unused, i) => [i + 1, (bits & (1 << i)) !== 0])),
  );
  const quorums = (tracker: ProgressTracker): ReadonlyMap<NodeId, boolean>[] =>
    coalitions.filter((votes) => tracker.voteResult(votes) === 'VoteWon');
  fc.assert(
    fc.property(steps, (script) => {
      const tracker = new ProgressTracker(LIMITS);
      let before: ReadonlyMap<NodeId, boolean>[] = [];
      for (const step of script) {
        const wasEmpty = tracker.voterIds().length === 0;
        if (!apply(tracker, step)) continue;
        const after = quorums(tracker);
        if (!wasEmpty)
          for (const a of before)
            expect(after.every((b) => [...a].some(([id, yes]) => yes && b.get(id) === true))).toBe(true);
        before = after;
      }
    }),
    { numRuns: 40 },
  );
});
