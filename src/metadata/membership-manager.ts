/** @module Keeps the raft configuration in step with the registry: the leader adds, promotes and removes, one at a time. */
import type { Status } from '../../raft/raw-node.ts';
import type { ConfChangeSingle, NodeId } from '../../raft/types.ts';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import { successorOf } from './leadership-handover.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface MembershipManagerComponents {
  readonly driver: RaftDriver;
  readonly members: MemberDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface MembershipManagerOptions {
  /** Further metadata nodes stay learners. */
  readonly maxVoters: number;
}

export const DEFAULT_MAX_VOTERS = 5;
/** A look costs little, and a newcomer waits for two of them. */
const IDLE_MS = 50;
/** A learner this close to the commit index, in entries, is caught up. */
const PROMOTE_LAG = 200;
/** A change that has not shown by then was lost and is proposed anew. */
const CHANGE_TIMEOUT_MS = 3_000;

/** What is next for the configuration; `transfer`: the leader itself has left and hands over first. */
type Step =
  | { readonly kind: 'change'; readonly change: ConfChangeSingle }
  | { readonly kind: 'transfer'; readonly to: NodeId };

export class MembershipManager implements BackgroundWorker {
  readonly name = 'membership';
  readonly idleMs: number = IDLE_MS;
  readonly #components: MembershipManagerComponents;
  readonly #options: MembershipManagerOptions;
  #pending: { readonly confState: string; readonly untilMs: number } | undefined;

  constructor(components: MembershipManagerComponents, options: MembershipManagerOptions) {
    this.#components = components;
    this.#options = options;
  }

  async work(): Promise<WorkState> {
    const { driver, members, clock, logger } = this.#components;
    const status = driver.status();
    if (!driver.isLeader || !status.committedInTerm) return 'idle';
    const confState = JSON.stringify(status.confState);
    if (this.#pending?.confState === confState && clock.monotonicMs() < this.#pending.untilMs) return 'idle';

    const wanted = members.withRole('meta').map(({ number }) => number);
    const step = nextStep(status, wanted, this.#options.maxVoters);
    if (step === undefined) return 'idle';
    this.#pending = { confState, untilMs: clock.monotonicMs() + CHANGE_TIMEOUT_MS };
    logger.info('raft.membership', { ...step });
    if (step.kind === 'transfer') driver.transferLeader(step.to);
    else driver.proposeConfChange(step.change);
    return 'idle';
  }
}

/** The next step towards `wanted`; undefined when there is none. Pure. */
export function nextStep(status: Status, wanted: readonly NodeId[], maxVoters: number): Step | undefined {
  const { voters, learners } = status.confState;
  const gone = [...voters, ...learners].find((id) => !wanted.includes(id) && id !== status.id);
  if (gone !== undefined) return change('ConfChangeRemoveNode', gone);

  const added = wanted.find((id) => !voters.includes(id) && !learners.includes(id));
  if (added !== undefined) return change('ConfChangeAddLearnerNode', added);

  // One that never answered may not even run: as a voter it would take the majority from a small cluster.
  const caughtUp = status.progress.find(
    ({ id, isLearner, match, recentActive }) =>
      isLearner && recentActive && wanted.includes(id) && match > 0 && match + PROMOTE_LAG >= status.commit,
  );
  if (caughtUp !== undefined && voters.length < maxVoters) return change('ConfChangeAddNode', caughtUp.id);

  if (wanted.includes(status.id) || status.leadTransferee !== 0) return undefined;
  const successor = successorOf(status);
  return successor === undefined ? undefined : { kind: 'transfer', to: successor };
}

function change(type: ConfChangeSingle['type'], nodeId: NodeId): Step {
  return { kind: 'change', change: { type, nodeId } };
}
