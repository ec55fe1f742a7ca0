/** @module Runs background workers: one step at a time each, side by side, until stopped. */
import { type Clock, sleep } from './clock.ts';
import { describeError } from './errors.ts';
import type { Logger } from './logger.ts';
import type { BackgroundWorker, WorkState } from './worker.ts';

export interface WorkerRunnerComponents {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Pause between two steps of a busy worker, in milliseconds: lets requests and timers in between. */
const BUSY_PAUSE_MS = 0;

export class WorkerRunner {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #workers: readonly BackgroundWorker[];
  #stopping = new AbortController();
  #running: Promise<void>[] = [];

  constructor(components: WorkerRunnerComponents, workers: readonly BackgroundWorker[]) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#workers = workers;
  }

  /** Starts every worker; each waits its `idleMs` before the first step. */
  start(): void {
    if (this.#running.length > 0) return;
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    this.#running = this.#workers.map((worker) => this.#run(worker, signal));
  }

  /** Aborts the step each worker is in and resolves when all have returned. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
    this.#running = [];
  }

  async #run(worker: BackgroundWorker, signal: AbortSignal): Promise<void> {
    let state: WorkState = 'idle';
    while (state !== 'done') {
      const stopped = await this.#pause(state === 'busy' ? BUSY_PAUSE_MS : worker.idleMs, signal);
      if (stopped) return;
      state = await this.#step(worker, signal);
    }
  }

  async #step(worker: BackgroundWorker, signal: AbortSignal): Promise<WorkState> {
    try {
      return await worker.work(signal);
    } catch (error) {
      if (!signal.aborted)
        this.#logger.warn('worker.failed', { worker: worker.name, error: describeError(error) });
      return 'idle';
    }
  }

  /** True when the runner was stopped meanwhile. */
  async #pause(delayMs: number, signal: AbortSignal): Promise<boolean> {
    try {
      await sleep(this.#clock, delayMs, signal);
    } catch {
      // The only rejection of sleep is the abort, and that is what is being reported.
    }
    return signal.aborted;
  }
}
