/** @module Tells a node that was away whether it still belongs. One that was removed is a stranger and may ask only this. */
import type { StateMachine } from '../namespace/state-machine.ts';
import { serve } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import type { StandingRequest, StandingResponse } from '../protocol/messages.ts';
import { STANDING } from '../protocol/methods.ts';
import { notReady } from './errors.ts';
import { wrongCluster } from './member-errors.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface StandingServiceComponents {
  readonly network: Network;
  readonly machine: StateMachine;
  readonly driver: RaftDriver;
}

export interface StandingServiceOptions {
  readonly epoch: () => number;
}

export class StandingService {
  readonly #components: StandingServiceComponents;
  readonly #options: StandingServiceOptions;

  constructor(components: StandingServiceComponents, options: StandingServiceOptions) {
    this.#components = components;
    this.#options = options;
  }

  /**
   * Answers from what this node has applied. That may be old, but "left" and an epoch that is over are final, and
   * nothing else is concluded from the answer. Errors: METADATA_NOT_READY, NAMESPACE_WRONG_CLUSTER.
   */
  start(): void {
    serve(this.#components.network, STANDING, async (request, { peer }) => this.#standing(request, peer));
  }

  #standing({ cluster: asked, number }: StandingRequest, peer: PeerId): StandingResponse {
    const { machine, driver } = this.#components;
    const cluster = machine.cluster();
    // One that replays the log of an older epoch knows neither who came since nor who has gone.
    if (cluster === undefined || cluster.epoch < this.#options.epoch()) throw notReady();
    if (asked !== cluster.id) throw wrongCluster(cluster.id, asked);
    const member = machine.memberByNumber(number);
    const isOwn = member?.peer === peer;
    return {
      cluster: cluster.id,
      epoch: this.#options.epoch(),
      state: isOwn ? member.state : '',
      roles: isOwn ? member.roles : [],
      inConfiguration: isOwn && driver.isInConfiguration(number),
    };
  }
}
