/** @module Reads of the namespace that fail for a while: whoever collects garbage on the strength of them must give up its round. */
import type { StateMachine } from '../../src/namespace/state-machine.ts';
import { storageFailed } from '../../src/storage/errors.ts';
import { Prng } from '../prng.ts';
import type { World } from '../world/world.ts';
import type { Coverage } from './coverage.ts';

export interface ListingErrorsComponents {
  readonly world: World;
  readonly coverage: Coverage;
}

/** Of the reads while they fail: some pages of a round are answered, others are not. */
const FAILING_SHARE = 0.8;

export class ListingErrors {
  readonly #components: ListingErrorsComponents;
  readonly #random: Prng;
  #untilMs = 0;

  constructor(components: ListingErrorsComponents, { seed }: { readonly seed: number }) {
    this.#components = components;
    this.#random = new Prng(seed, 'listing errors');
  }

  /** From now on, on every metadata node. */
  failFor(forMs: number): void {
    this.#untilMs = Math.max(this.#untilMs, this.#components.world.nowMs + forMs);
  }

  /** Whatever is asked of `machine` who refers to which blocks passes here. */
  watch(machine: StateMachine): void {
    const references = machine.references.bind(machine);
    machine.references = async (hashes) => {
      const { world, coverage } = this.#components;
      if (world.nowMs < this.#untilMs && this.#random.chance(FAILING_SHARE)) {
        coverage.saw('listing errors');
        throw storageFailed('read who refers to a block from', 'namespace.db', new Error('read error'));
      }
      return references(hashes);
    };
  }
}
