/** @module Keeps the raft configuration in step with the registry and the settings: one change at a time, by the leader. */
import type { Clock } from '../common/clock.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import { DEFAULT_VOTER_REPLACEMENT_MS, DEFAULT_VOTERS } from '../namespace/limits.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { Membership } from '../protocol/messages.ts';
import { CommitRounds } from './commit-rounds.ts';
import { ContactTimes } from './contact-times.ts';
import { type PromotionCheckComponents, thoseWhoHaveApplied } from './promotion-check.ts';
import type { RaftDriver } from './raft-driver.ts';
import {
  type MembershipStep,
  newVoters,
  nextStep,
  sparesOf,
  type VoterSettings,
  type VoterView,
  votersAfter,
} from './voter-plan.ts';

export interface MembershipManagerComponents extends PromotionCheckComponents {
  readonly driver: RaftDriver;
  readonly machine: StateMachine;
  readonly clock: Clock;
}

/** A look costs little, and a newcomer waits for two of them. */
const IDLE_MS = 50;
/** Who follows only waits to lead. */
const FOLLOWER_IDLE_MS = 250;
/** A change that has not shown by then was lost and is proposed anew. */
const CHANGE_TIMEOUT_MS = 3_000;
/** Less silence than this is not worth a word in the status. */
const SILENT_MS = 2_000;

export class MembershipManager implements BackgroundWorker {
  readonly name = 'membership';
  readonly #components: MembershipManagerComponents;
  readonly #contacts = new ContactTimes();
  readonly #rounds = new CommitRounds();
  #pending: { readonly confState: string; readonly untilMs: number } | undefined;

  constructor(components: MembershipManagerComponents) {
    this.#components = components;
  }

  get idleMs(): number {
    return this.#components.driver.isLeader ? IDLE_MS : FOLLOWER_IDLE_MS;
  }

  async work(): Promise<WorkState> {
    const { driver, clock, logger } = this.#components;
    const status = driver.status();
    this.#contacts.observe(status, clock.monotonicMs());
    this.#rounds.observe(status, clock.monotonicMs());
    const view = this.view();
    if (!driver.isLeader || !status.committedInTerm) return 'idle';
    const confState = JSON.stringify(status.confState);
    if (this.#pending?.confState === confState && clock.monotonicMs() < this.#pending.untilMs) return 'idle';

    const step = nextStep(view, this.settings());
    if (step === undefined) return 'idle';
    if (votersAfter(step, status).join() !== status.confState.voters.join()) {
      if (!(await this.#canServe(step, view))) return 'idle';
      // The plan is as old as their answers: it must still be the plan.
      const isStill = JSON.stringify(nextStep(this.view(), this.settings())) === JSON.stringify(step);
      if (!driver.isLeader || !isStill) return 'idle';
    }
    this.#pending = { confState, untilMs: clock.monotonicMs() + CHANGE_TIMEOUT_MS };
    logger.info('raft.membership', { ...step });
    if (step.kind === 'transfer') driver.transferLeader(step.to);
    else driver.proposeConfChange(step.changes);
    return 'idle';
  }

  /**
   * Asked and not remembered: a voter that died a second ago still counts as alive, and taking a healthy one out beside it
   * can leave nobody who could put that right.
   */
  async #canServe(step: MembershipStep, { status, roundStart }: VoterView): Promise<boolean> {
    const voters = votersAfter(step, status);
    const others = voters.filter((id) => id !== status.id);
    const there = await thoseWhoHaveApplied(this.#components, others, { ...status, roundStart });
    const count = there.length + (voters.length - others.length);
    return count * 2 > voters.length && newVoters(step, status).every((id) => there.includes(id));
  }

  settings(): VoterSettings {
    const cluster = this.#components.machine.cluster();
    return {
      voters: cluster?.voters || DEFAULT_VOTERS,
      voterReplacementMs: cluster?.voterReplacementMs || DEFAULT_VOTER_REPLACEMENT_MS,
    };
  }

  /** What the next step is made from. Silences are known on the leader only. */
  view(): VoterView {
    const { driver, members, clock } = this.#components;
    const status = driver.status();
    return {
      status,
      wanted: members.withRole('meta').map(({ number }) => number),
      contacts: this.#contacts,
      roundStart: this.#rounds.start(status, clock.monotonicMs()),
    };
  }

  /** For people; undefined unless this node leads. */
  describe(): Membership | undefined {
    if (!this.#components.driver.isLeader) return undefined;
    const view = this.view();
    const { voters, learners, votersOutgoing } = view.status.confState;
    const spares = sparesOf(view);
    const settings = this.settings();
    return {
      voters: [...voters],
      learners: [...learners],
      isChanging: votersOutgoing.length > 0,
      wantedVoters: settings.voters,
      voterReplacementMs: settings.voterReplacementMs,
      silent: voters
        .map((node) => ({ node, silentMs: Math.round(view.contacts.silentMs(node)) }))
        .filter(({ silentMs }) => silentMs >= SILENT_MS)
        .map((silence, position) => ({ ...silence, replacement: spares[position] ?? 0 })),
    };
  }
}
