/** @module The leader commits which metadata nodes nobody hears, so that others hold their part of the location index. */
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { Member } from '../namespace/schema.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import type { AnswerSurvey } from './answer-survey.ts';
import { AwayPatience, MAX_AWAY_AFTER_MS } from './away-patience.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { MembershipManager } from './membership-manager.ts';
import type { Proposer } from './proposer.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface PresenceWorkerComponents {
  readonly driver: Pick<RaftDriver, 'isLeader'>;
  readonly machine: Pick<StateMachine, 'featureLevel'>;
  readonly members: Pick<MemberDirectory, 'withRole'>;
  readonly membership: Pick<MembershipManager, 'view'>;
  readonly answers: Pick<AnswerSurvey, 'isAnswering'>;
  readonly proposer: Pick<Proposer, 'submitInternal'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The feature level from which on presence is committed. */
const PRESENCE_LEVEL = 2;
const IDLE_MS = 200;
/** One that answers somebody is not asked about again before. */
export const ANSWER_COUNTS_MS = 1_000;

export class PresenceWorker implements BackgroundWorker {
  readonly name = 'presence';
  readonly idleMs: number = IDLE_MS;
  readonly #components: PresenceWorkerComponents;
  readonly #patience = new AwayPatience();
  /** When each that is silent here was last heard to answer somebody. */
  readonly #answeredMs = new Map<number, number>();

  constructor(components: PresenceWorkerComponents) {
    this.#components = components;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const { driver, machine, members, membership, clock } = this.#components;
    if (!driver.isLeader || machine.featureLevel < PRESENCE_LEVEL) return 'idle';
    const { contacts } = membership.view();
    const nodes = members.withRole('meta');
    for (const { number, away } of nodes) {
      if (away !== true || !contacts.isAlive(number)) continue;
      await this.#commit(number, false, signal);
      this.#patience.returned(number, clock.monotonicMs());
    }
    const gone = await Promise.all(
      nodes.filter(({ away }) => away !== true).map((node) => this.#isGone(node, signal)),
    );
    for (const number of gone)
      if (number !== undefined && driver.isLeader) await this.#commit(number, true, signal);
    return 'idle';
  }

  /** The number of `node` when it is to be called away: silent for too long, to everybody, also after they were asked. */
  async #isGone({ number, peer }: Member, signal: AbortSignal): Promise<number | undefined> {
    const { answers, clock, logger } = this.#components;
    if (!this.#isSilent(number)) return undefined;
    // Whom this leader cannot reach for so long falls behind, whoever else may hear it.
    if (this.#silentMs(number) >= MAX_AWAY_AFTER_MS) return number;
    const answeredMs = this.#answeredMs.get(number);
    if (answeredMs !== undefined && clock.monotonicMs() - answeredMs < ANSWER_COUNTS_MS) return undefined;
    if (await answers.isAnswering(peer, signal)) {
      this.#answeredMs.set(number, clock.monotonicMs());
      logger.debug('member.slow', { number, silentMs: this.#silentMs(number) });
      return undefined;
    }
    return this.#isSilent(number) ? number : undefined;
  }

  #isSilent(number: number): boolean {
    const nowMs = this.#components.clock.monotonicMs();
    return this.#silentMs(number) >= this.#patience.awayAfterMs(number, nowMs);
  }

  #silentMs(number: number): number {
    return this.#components.membership.view().contacts.silentMs(number);
  }

  async #commit(number: number, away: boolean, signal: AbortSignal): Promise<void> {
    const { proposer, logger } = this.#components;
    await proposer.submitInternal({ $case: 'setPresence', value: { number, away } }, signal);
    logger[away ? 'warn' : 'info']('member.presence', { number, away });
  }
}
