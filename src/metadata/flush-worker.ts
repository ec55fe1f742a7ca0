/** @module Writes the state machine's changed rows behind, so that a restart has little to apply again. */
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { StateMachine } from '../namespace/state-machine.ts';

const IDLE_MS = 500;

export class FlushWorker implements BackgroundWorker {
  readonly name = 'flush';
  readonly idleMs: number = IDLE_MS;
  readonly #machine: StateMachine;
  readonly #onFailed: (error: unknown) => void;

  /** `onFailed`: rows could not be written; the store is latched and the node must stop. */
  constructor(components: { readonly machine: StateMachine; readonly onFailed: (error: unknown) => void }) {
    this.#machine = components.machine;
    this.#onFailed = components.onFailed;
  }

  async work(): Promise<WorkState> {
    if (this.#machine.durableIndex >= this.#machine.appliedIndex) return 'idle';
    try {
      await this.#machine.flush();
    } catch (error) {
      this.#onFailed(error);
      return 'done';
    }
    return 'idle';
  }
}
