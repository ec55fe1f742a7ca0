/** @module Runs background workers: one step at a time each, side by side, until stopped. People can look, pause and hurry. */
import type { Clock } from './clock.ts';
import { describeError, isHoldfastError } from './errors.ts';
import type { Logger } from './logger.ts';
import { Pause } from './pause.ts';
import type { BackgroundWorker, WorkerStanding, WorkerState } from './worker.ts';

export interface WorkerRunnerComponents {
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface WorkerRunnerOptions {
  /** Names of workers that were paused before. */
  readonly paused?: readonly string[] | undefined;
  /** Keeps the names of those that are paused now, durably. */
  readonly keepPaused?: ((names: readonly string[]) => Promise<void>) | undefined;
}

/** Between two steps of a busy worker that names no other pause: lets requests and timers in between. */
const BUSY_PAUSE_MS = 0;

interface Slot {
  readonly worker: BackgroundWorker;
  state: WorkerState;
  isPaused: boolean;
  steps: number;
  failures: number;
  stuck: WorkerStanding['stuck'];
  /** Between two steps. */
  readonly pause: Pause;
}

const NOT_STUCK = { code: '', message: '' };

export class WorkerRunner {
  readonly #logger: Logger;
  readonly #slots: ReadonlyMap<string, Slot>;
  readonly #keepPaused: WorkerRunnerOptions['keepPaused'];
  #stopping = new AbortController();
  #running: Promise<void>[] = [];

  constructor(
    components: WorkerRunnerComponents,
    workers: readonly BackgroundWorker[],
    { paused = [], keepPaused }: WorkerRunnerOptions = {},
  ) {
    this.#logger = components.logger;
    this.#keepPaused = keepPaused;
    this.#slots = new Map(
      workers.map((worker) => [worker.name, newSlot(components, worker, paused.includes(worker.name))]),
    );
  }

  /** Starts every worker; each waits its `idleMs` before the first step. */
  start(): void {
    if (this.#running.length > 0) return;
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    this.#running = [...this.#slots.values()].map((slot) => this.#run(slot, signal));
  }

  /** Aborts the step each worker is in and resolves when all have returned. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { pause } of this.#slots.values()) pause.wake();
    await Promise.all(this.#running);
    this.#running = [];
  }

  standings(): readonly WorkerStanding[] {
    return [...this.#slots.values()].map(({ worker, state, isPaused, steps, failures, stuck }) => ({
      name: worker.name,
      state: isPaused ? 'paused' : state,
      isPausable: worker.isPausable ?? false,
      steps,
      failures,
      stuck,
      progress: worker.progress?.() ?? '',
    }));
  }

  /** Lets a worker do its next step now, once, even while it is paused. False when there is no such worker. */
  hurry(name: string): boolean {
    const slot = this.#slots.get(name);
    slot?.worker.hurry?.();
    slot?.pause.wake();
    return slot !== undefined;
  }

  /** Holds a worker after the step it is in, or lets it go on. False when there is none that may be paused. */
  async setPaused(name: string, isPaused: boolean): Promise<boolean> {
    const slot = this.#slots.get(name);
    if (slot === undefined || slot.worker.isPausable !== true) return false;
    slot.isPaused = isPaused;
    if (!isPaused) slot.pause.wake();
    await this.#keepPaused?.(
      [...this.#slots.values()].filter((each) => each.isPaused).map(({ worker }) => worker.name),
    );
    return true;
  }

  async #run(slot: Slot, signal: AbortSignal): Promise<void> {
    const { worker } = slot;
    while (slot.state !== 'done') {
      const delayMs = slot.state === 'busy' ? (worker.pauseMs ?? BUSY_PAUSE_MS) : worker.idleMs;
      // True when it was cut short by somebody who is in a hurry, or by the runner's end.
      const isHurried = await slot.pause.wait(delayMs);
      if (signal.aborted) return;
      if (slot.isPaused && !isHurried) slot.state = 'idle';
      else await this.#step(slot, signal);
    }
  }

  async #step(slot: Slot, signal: AbortSignal): Promise<void> {
    slot.steps += 1;
    try {
      slot.state = await slot.worker.work(signal);
      slot.stuck = NOT_STUCK;
    } catch (error) {
      slot.state = 'stuck';
      if (signal.aborted) return;
      slot.failures += 1;
      const code = isHoldfastError(error) ? error.code : 'WORKER_FAILED';
      slot.stuck = { code, message: describeError(error) };
      this.#logger.warn('worker.failed', { worker: slot.worker.name, code, error: describeError(error) });
    }
  }
}

function newSlot(components: WorkerRunnerComponents, worker: BackgroundWorker, isPaused: boolean): Slot {
  return {
    worker,
    state: 'waiting',
    isPaused,
    steps: 0,
    failures: 0,
    stuck: NOT_STUCK,
    pause: new Pause(components),
  };
}
