/** @module Reads of the newest state, made while a majority is asked whether it is the newest, and made again if it was not. */
import type { StateMachine } from '../namespace/state-machine.ts';
import type { ReadBarrier } from './read-barrier.ts';

export interface EarlyReadsComponents {
  readonly barrier: Pick<ReadBarrier, 'wait'>;
  readonly machine: Pick<StateMachine, 'appliedIndex'>;
}

export class EarlyReads {
  readonly #components: EarlyReadsComponents;
  /** Nothing was applied while the last read waited: then the next one is likely to be of use when made early. */
  #isQuiet = true;

  constructor(components: EarlyReadsComponents) {
    this.#components = components;
  }

  /**
   * What `read` makes of a state that holds everything committed before this call. Where nothing is applied between its
   * beginning and the majority's answer, that is what it saw. Errors: those of ReadBarrier.wait and of `read`.
   */
  async read<T>(read: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { barrier, machine } = this.#components;
    const newest = barrier.wait(signal);
    // It is awaited below; until then, or where a read throws at once, its refusal must not count as heard by nobody.
    newest.catch(() => undefined);
    const isEarly = this.#isQuiet;
    if (isEarly) await questionLeft();
    const index = machine.appliedIndex;
    const early = isEarly ? read() : undefined;
    // Of no interest unless it counts.
    early?.catch(() => undefined);
    await newest;
    this.#isQuiet = machine.appliedIndex === index;
    return early !== undefined && this.#isQuiet ? early : read();
  }
}

/** The majority has been asked: its answer takes longer than most reads, and must not wait for this one. */
async function questionLeft(): Promise<void> {
  await undefined;
  await new Promise<void>((resolve) => process.nextTick(resolve));
}
