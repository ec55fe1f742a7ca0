/** @module Tells other metadata nodes which feature level this one supports. */
import type { StateMachine } from '../namespace/state-machine.ts';
import { serve } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { FEATURE_LEVEL } from '../protocol/methods.ts';

export interface FeatureLevelServiceComponents {
  readonly network: Network;
  readonly machine: StateMachine;
}

export class FeatureLevelService {
  readonly #components: FeatureLevelServiceComponents;

  constructor(components: FeatureLevelServiceComponents) {
    this.#components = components;
  }

  start(): void {
    const { network, machine } = this.#components;
    serve(network, FEATURE_LEVEL, async () => ({
      supported: machine.supportedFeatureLevel,
      active: machine.featureLevel,
    }));
  }
}
