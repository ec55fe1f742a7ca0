/** @module Compares whole namespaces while the run goes on: at one index of the log all nodes have the same. */
import { isHoldfastError } from '../../src/common/errors.ts';
import { Prng } from '../prng.ts';
import { SafetyViolation } from '../raft-oracle.ts';
import type { World } from '../world/world.ts';
import type { Coverage } from './coverage.ts';
import type { MetadataProcess } from './metadata-process.ts';

export interface NamespaceWatchComponents {
  readonly world: World;
  readonly coverage: Coverage;
  /** Metadata nodes that run. */
  readonly running: () => readonly MetadataProcess[];
  /** The run has failed. */
  readonly fail: (error: unknown) => void;
}

/** To look is to flush, which hides what only unflushed rows show: other runs are not looked at. */
const SHARE = 0.5;
const PERIOD_MS = 3_000;

export class NamespaceWatch {
  readonly #components: NamespaceWatchComponents;
  readonly #isOn: boolean;
  readonly #hashes = new Map<number, string>();

  constructor(components: NamespaceWatchComponents, { seed }: { readonly seed: number }) {
    this.#components = components;
    this.#isOn = new Prng(seed, 'namespace watch').chance(SHARE);
  }

  /** From now on, every few seconds. */
  start(): void {
    if (this.#isOn) this.#components.world.after(PERIOD_MS, () => this.#lookAtAll());
  }

  /** Two nodes that were looked at had applied the same. Throws SafetyViolation. */
  compare({ index, hash }: { readonly index: number; readonly hash: string }, number: number): void {
    const known = this.#hashes.get(index);
    if (known === undefined) this.#hashes.set(index, hash);
    else if (known !== hash)
      throw new SafetyViolation(`Node ${number} has another namespace at index ${index} than others had`);
    else this.#components.coverage.saw('equal namespaces at one index');
  }

  #lookAtAll(): void {
    const { running, fail } = this.#components;
    for (const process of running()) this.#lookAt(process).catch(fail);
    this.start();
  }

  async #lookAt({ state, machine, number }: MetadataProcess): Promise<void> {
    if (state === undefined || machine.areRowsRotten) return;
    try {
      this.compare(await state.namespaceHash(), number);
    } catch (error) {
      // The node is on its way out, or its disk fails: it says so itself.
      if (!isHoldfastError(error)) throw error;
    }
  }
}
