/** @module Who should vote, and the one step that leads there next. Pure. */
import type { ProgressStatus } from '../../raft/status.ts';
import type { Status } from '../../raft/raw-node.ts';
import type { ConfChangeSingle, Index, NodeId } from '../../raft/types.ts';
import type { ContactTimes } from './contact-times.ts';
import { successorOf } from './leadership-handover.ts';

export interface VoterSettings {
  /** Further metadata nodes stay learners. */
  readonly voters: number;
  /** Silence after which a waiting learner takes a voter's place, in milliseconds. */
  readonly voterReplacementMs: number;
}

/** What the plan is made from, beside the settings. */
export interface VoterView {
  readonly status: Status;
  /** Active metadata members, by number. */
  readonly wanted: readonly NodeId[];
  readonly contacts: Pick<ContactTimes, 'isAlive' | 'silentMs'>;
  /** What was committed a round ago (commit-rounds.ts). */
  readonly roundStart: Index;
}

/** `changes`: one membership change, joint when it moves more than one voter. `transfer`: the leader has left. */
export type MembershipStep =
  | { readonly kind: 'change'; readonly changes: readonly ConfChangeSingle[] }
  | { readonly kind: 'transfer'; readonly to: NodeId };

/** A learner this close to the commit index, in entries, is caught up; so is one that is less than a round behind. */
const PROMOTE_LAG = 200;
/** Fewer voters are never aimed at while others were there: two bear the loss of neither. */
const FEWEST_VOTERS = 3;

/** The next step towards what the registry and the settings say; undefined when there is none, or none is safe now. */
export function nextStep(view: VoterView, settings: VoterSettings): MembershipStep | undefined {
  const { status, wanted } = view;
  const { voters, votersOutgoing, learners } = status.confState;
  // The core leaves a joint configuration by itself; during a transfer it takes no proposal.
  if (votersOutgoing.length > 0 || status.leadTransferee !== 0) return undefined;

  const goneLearner = learners.find((id) => !wanted.includes(id));
  if (goneLearner !== undefined) return change('ConfChangeRemoveNode', goneLearner);
  const added = wanted.find((id) => !voters.includes(id) && !learners.includes(id));
  if (added !== undefined) return change('ConfChangeAddLearnerNode', added);

  const isLeaving = !wanted.includes(status.id);
  if (isLeaving) {
    const to = successorOf(status, (id) => wanted.includes(id)) ?? successorOf(status);
    if (to !== undefined) return { kind: 'transfer', to };
  }
  const desired = desiredVoters(view, settings);
  const joining = desired.filter((id) => !voters.includes(id));
  // One that leads and has left makes somebody a voter who can lead in its place; that one takes it out.
  const dropped = isLeaving ? [] : voters.filter((id) => !desired.includes(id));
  const changes = [
    ...joining.map((nodeId) => single('ConfChangeAddNode', nodeId)),
    ...dropped.map((nodeId) =>
      single(wanted.includes(nodeId) ? 'ConfChangeAddLearnerNode' : 'ConfChangeRemoveNode', nodeId),
    ),
  ];
  if (changes.length === 0 || !hasLivingQuorum(view, desired)) return undefined;
  return { kind: 'change', changes };
}

/** Who votes once the step is done. */
export function votersAfter(step: MembershipStep, { confState: { voters } }: Status): NodeId[] {
  if (step.kind !== 'change') return [...voters];
  const changed = new Map(step.changes.map(({ type, nodeId }) => [nodeId, type === 'ConfChangeAddNode']));
  const added = [...changed.keys()].filter((id) => changed.get(id) === true && !voters.includes(id));
  return [...voters.filter((id) => changed.get(id) !== false), ...added];
}

/** Whom the step makes a voter. */
export function newVoters(step: MembershipStep, { confState }: Status): NodeId[] {
  if (step.kind !== 'change') return [];
  return step.changes
    .filter(({ type, nodeId }) => type === 'ConfChangeAddNode' && !confState.voters.includes(nodeId))
    .map(({ nodeId }) => nodeId);
}

/** Learners that could vote at once, the furthest ahead first. */
export function sparesOf(view: VoterView): NodeId[] {
  const { status, wanted, contacts } = view;
  return status.progress
    .filter((progress) => isCaughtUp(progress, view) && wanted.includes(progress.id))
    .filter(({ id }) => contacts.isAlive(id))
    .toSorted((a, b) => b.match - a.match)
    .map(({ id }) => id);
}

/** Voters silent for longer than a restart takes. */
function lostVoters({ status, contacts }: VoterView, { voterReplacementMs }: VoterSettings): NodeId[] {
  return status.confState.voters.filter((id) => contacts.silentMs(id) >= voterReplacementMs);
}

/** Whether more than half of `voters` have been heard of just now. */
export function hasLivingQuorum({ contacts }: VoterView, voters: readonly NodeId[]): boolean {
  return voters.filter((id) => contacts.isAlive(id)).length * 2 > voters.length;
}

/**
 * Whoever votes goes on, unless lost; then spares; then the lost ones, since a place that nobody can take is better
 * kept for somebody who may come back. The leader is never planned away.
 */
export function desiredVoters(view: VoterView, settings: VoterSettings): NodeId[] {
  const { status, wanted } = view;
  const match = new Map(status.progress.map((progress) => [progress.id, progress.match]));
  const voters = status.confState.voters
    .filter((id) => wanted.includes(id))
    .toSorted(
      (a, b) =>
        Number(b === status.id) - Number(a === status.id) || (match.get(b) ?? 0) - (match.get(a) ?? 0),
    );
  const lost = lostVoters(view, settings);
  const healthy = [...voters.filter((id) => !lost.includes(id)), ...sparesOf(view)];
  const count = voterCount(healthy.length, voters.length, settings.voters);
  return [...healthy, ...voters.filter((id) => lost.includes(id))].slice(0, count);
}

/**
 * Odd, for an even number needs a larger quorum and bears no more losses. Two are the exception: nobody then bears a
 * loss, but the log is on two disks, so that no acknowledged change is on one alone.
 */
function voterCount(healthy: number, present: number, wanted: number): number {
  const most = Math.min(healthy, wanted);
  const odd = most > 2 && most % 2 === 0 ? most - 1 : most;
  return Math.max(odd, Math.min(present, FEWEST_VOTERS));
}

/** One that never answered may not even run: as a voter it would take the majority from a small cluster. */
function isCaughtUp(
  { isLearner, recentActive, match }: ProgressStatus,
  { status: { commit }, roundStart }: VoterView,
): boolean {
  const needed = Math.min(commit - PROMOTE_LAG, roundStart);
  return isLearner && recentActive && match > 0 && match >= needed;
}

function change(type: ConfChangeSingle['type'], nodeId: NodeId): MembershipStep {
  return { kind: 'change', changes: [single(type, nodeId)] };
}

function single(type: ConfChangeSingle['type'], nodeId: NodeId): ConfChangeSingle {
  return { type, nodeId };
}
