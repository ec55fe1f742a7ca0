/** @module Where this metadata node's log and state stand: for the status, and for the comparison of survivors. */
import type { Clock } from '../common/clock.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { serve } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import type { Position } from '../protocol/messages.ts';
import { POSITION } from '../protocol/methods.ts';
import { reportReach } from '../protocol/reach-report.ts';
import type { RaftLogStore } from '../storage/raft-log-store.ts';
import type { MembershipManager } from './membership-manager.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface PositionServiceComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly log: RaftLogStore;
  readonly driver: RaftDriver;
  readonly membership: MembershipManager;
  readonly clock: Pick<Clock, 'wallMs'>;
}

export interface PositionServiceOptions {
  readonly epoch: () => number;
  readonly version: string;
}

export class PositionService {
  readonly #components: PositionServiceComponents;
  readonly #options: PositionServiceOptions;

  constructor(components: PositionServiceComponents, options: PositionServiceOptions) {
    this.#components = components;
    this.#options = options;
  }

  start(): void {
    serve(this.#components.network, POSITION, async () => this.#position());
  }

  #position(): Position {
    const { driver, log, machine, membership, network, clock } = this.#components;
    const { term, commit } = driver.status();
    return {
      node: driver.id,
      epoch: this.#options.epoch(),
      version: this.#options.version,
      term,
      commit,
      applied: driver.appliedIndex,
      leader: driver.leader,
      lastIndex: log.lastIndex(),
      lastTerm: log.term(log.lastIndex()),
      membership: membership.describe(),
      featureLevel: machine.supportedFeatureLevel,
      wallMs: clock.wallMs(),
      reach: reportReach('meta', network.paths(), (peer) => machine.memberByPeer(peer)),
    };
  }
}
