/** @module Asks the other metadata nodes whether this one still belongs, and stops it when the cluster goes on without it. */
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { call } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import type { StandingResponse } from '../protocol/messages.ts';
import { STANDING } from '../protocol/methods.ts';
import { removed, superseded } from './errors.ts';
import { ACTIVE, isMetadataNode, type MemberDirectory } from './member-directory.ts';
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
  readonly epoch: () => number;
}

const IDLE_MS = 150;
/**
 * A node that was removed hears nothing more from the leader, and one that a recovery left behind finds no leader: such
 * a node asks with every step, and before its first election time-out (half a second), so that it does not even vote.
 */
const WELL_LED_PERIOD_MS = 5_000;
const ASK_TIMEOUT_MS = 2_000;

export class StandingWorker implements BackgroundWorker {
  readonly name = 'standing';
  readonly #components: StandingWorkerComponents;
  readonly #options: StandingWorkerOptions;
  readonly idleMs: number = IDLE_MS;
  #nextMs = 0;

  constructor(components: StandingWorkerComponents, options: StandingWorkerOptions) {
    this.#components = components;
    this.#options = options;
  }

  async work(signal: AbortSignal): Promise<WorkState> {
    const { machine, members, network, driver, clock } = this.#components;
    const cluster = machine.cluster()?.id;
    if (cluster === undefined || driver.ended !== undefined) return 'idle';
    const isWell = driver.leader !== 0 && isMetadataNode(members.byNumber(driver.id));
    if (isWell && clock.monotonicMs() < this.#nextMs) return 'idle';
    this.#nextMs = clock.monotonicMs() + WELL_LED_PERIOD_MS;
    const others = members.withRole('meta').filter(({ peer }) => peer !== network.localPeer);
    await Promise.all(others.map(({ peer }) => this.#ask(peer, cluster, signal)));
    return 'idle';
  }

  async #ask(peer: PeerId, cluster: string, signal: AbortSignal): Promise<void> {
    const { network, driver, logger } = this.#components;
    const request = { cluster, epoch: this.#options.epoch(), number: driver.id };
    try {
      const options = { signal, timeoutMs: ASK_TIMEOUT_MS };
      const verdict = verdictOf(await call(network, peer, STANDING, request, options), request);
      if (verdict !== undefined) driver.retire(verdict);
    } catch (error) {
      // Who does not answer says nothing; the next one is asked as well.
      if (!signal.aborted) logger.debug('standing.no-answer', { peer, error: describeError(error) });
    }
  }
}

/** Why the asker must stop; undefined while it may go on. An answer of an older epoch counts for nothing. Pure. */
export function verdictOf(
  answer: StandingResponse,
  asker: { readonly cluster: string; readonly epoch: number; readonly number: number },
): Error | undefined {
  const { cluster, epoch, number } = asker;
  if (answer.cluster !== cluster || answer.epoch < epoch) return undefined;
  const isMember = answer.state === ACTIVE && answer.roles.includes('meta');
  // Who joined a moment ago, or was removed while raft still counts on it, goes on.
  if (isMember || answer.inConfiguration) return undefined;
  if (answer.epoch > epoch) return superseded(number, cluster, epoch, answer.epoch);
  return answer.state === '' ? undefined : removed(number, cluster);
}
