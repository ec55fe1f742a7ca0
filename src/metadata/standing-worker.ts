/** @module Asks the other metadata nodes whether this one still belongs, and stops it when the cluster goes on without it. */
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { call } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import type { StandingRequest, StandingResponse } from '../protocol/messages.ts';
import { STANDING } from '../protocol/methods.ts';
import { standingVerdict } from '../protocol/standing.ts';
import { removed, superseded } from './member-errors.ts';
import { isMetadataNode, type MemberDirectory } from './member-directory.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface StandingWorkerComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly members: MemberDirectory;
  readonly driver: RaftDriver;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface StandingWorkerOptions {
  readonly cluster?: string | undefined;
  readonly epoch: () => number;
}

const IDLE_MS = 150;
/**
 * One that a recovery left behind finds no leader: it asks everybody with every step, and before its first election
 * time-out (half a second), so that it does not even vote. One that was removed hears nothing more from its leader, and
 * a learner does not notice: it asks the leader it knows once in a while, and everybody when that one does not answer.
 */
const WELL_LED_PERIOD_MS = 1_000;
const ASK_TIMEOUT_MS = 2_000;

export class StandingWorker implements BackgroundWorker {
  readonly name = 'standing';
  readonly #components: StandingWorkerComponents;
  readonly #options: StandingWorkerOptions;
  readonly idleMs: number = IDLE_MS;
  #nextMs = 0;
  #leaderAnswers = true;

  constructor(components: StandingWorkerComponents, options: StandingWorkerOptions) {
    this.#components = components;
    this.#options = options;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const { machine, members, network, driver, clock } = this.#components;
    // Removed before the namespace has arrived here: then node.json alone says which cluster it was.
    const cluster = machine.cluster()?.id ?? this.#options.cluster;
    if (cluster === undefined || driver.ended !== undefined) return 'idle';
    const self = members.byNumber(driver.id);
    const isWell = driver.leader !== 0 && (self === undefined || isMetadataNode(self));
    if (isWell && clock.monotonicMs() < this.#nextMs) return 'idle';
    this.#nextMs = clock.monotonicMs() + WELL_LED_PERIOD_MS;
    const others = members.withRole('meta').filter(({ peer }) => peer !== network.localPeer);
    // One that leads asks everybody, too: alone in an old epoch it would lead for ever.
    const asksLeader = isWell && this.#leaderAnswers && !driver.isLeader;
    const asked = asksLeader ? others.filter(({ number }) => number === driver.leader) : others;
    const answers = await Promise.all(asked.map(({ peer }) => this.#ask(peer, cluster, signal)));
    this.#leaderAnswers = answers.includes(true);
    return 'idle';
  }

  /** Says whether there was an answer. */
  async #ask(peer: PeerId, cluster: string, signal: AbortSignal): Promise<boolean> {
    const { network, driver, logger } = this.#components;
    const request = { cluster, epoch: this.#options.epoch(), number: driver.id };
    try {
      const options = { signal, timeoutMs: ASK_TIMEOUT_MS };
      const verdict = verdictOf(await call(network, peer, STANDING, request, options), request);
      if (verdict !== undefined) driver.retire(verdict);
      return true;
    } catch (error) {
      // Who does not answer says nothing; the next one is asked as well.
      if (!signal.aborted) logger.debug('standing.no-answer', { peer, error: describeError(error) });
      return false;
    }
  }
}

/** Why the asker must stop; undefined while it may go on. Pure. */
export function verdictOf(answer: StandingResponse, asker: StandingRequest): Error | undefined {
  const { cluster, epoch, number } = asker;
  const verdict = standingVerdict(answer, asker, 'meta');
  if (verdict === 'superseded') return superseded(number, cluster, epoch, answer.epoch);
  return verdict && removed(number, cluster);
}
