/** @module The clocks that one process sees: its own rate, its own wall time, timers that wait while it is paused. */
import type { Clock, Timer } from '../../src/common/clock.ts';
import type { ProcessGate } from './process-gate.ts';
import type { World } from './world.ts';

/** Wall time at the beginning of every world, in milliseconds since 1970. */
export const WORLD_EPOCH_MS = 1_800_000_000_000;

/** What a machine's quartz and its administrator do to its clocks; outlives the processes on it. */
export class MachineClock {
  readonly #world: World;
  #rate = 1;
  #sinceMs = 0;
  #monotonicMs = 0;
  #wallOffsetMs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  get monotonicMs(): number {
    return this.#monotonicMs + (this.#world.nowMs - this.#sinceMs) * this.#rate;
  }

  get wallMs(): number {
    return Math.floor(WORLD_EPOCH_MS + this.monotonicMs + this.#wallOffsetMs);
  }

  /** True milliseconds until this clock has gone on by `delayMs`. */
  trueDelayMs(delayMs: number): number {
    return delayMs / this.#rate;
  }

  /** From now on `rate` milliseconds pass here in each true one. */
  drift(rate: number): void {
    this.#monotonicMs = this.monotonicMs;
    this.#sinceMs = this.#world.nowMs;
    this.#rate = rate;
  }

  /** Sets the wall clock forward or, negative, back. */
  jump(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }
}

export class ProcessClock implements Clock {
  readonly #world: World;
  readonly #gate: ProcessGate;
  readonly #machine: MachineClock;
  #pending = 0;
  readonly #onOver = (): void => {
    this.#pending -= 1;
  };

  constructor(components: {
    readonly world: World;
    readonly gate: ProcessGate;
    readonly machine: MachineClock;
  }) {
    this.#world = components.world;
    this.#gate = components.gate;
    this.#machine = components.machine;
  }

  wallMs(): number {
    return this.#machine.wallMs;
  }

  monotonicMs(): number {
    return this.#machine.monotonicMs;
  }

  /** Timers that were neither fired nor cancelled. */
  get pendingTimers(): number {
    return this.#pending;
  }

  after(delayMs: number, callback: () => void): Timer {
    this.#pending += 1;
    const timer = new ProcessTimer(callback, this.#onOver);
    timer.event = this.#world.after(this.#machine.trueDelayMs(delayMs), () => this.#gate.run(timer.fire));
    return timer;
  }

  /** Periods missed in a pause are not made up for, as with Node's. */
  every(periodMs: number, callback: () => void): Timer {
    let isCancelled = false;
    const fire = (): void => {
      if (isCancelled) return;
      timer = this.after(periodMs, fire);
      callback();
    };
    let timer = this.after(periodMs, fire);
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }
}

/** Fires once or is cancelled once, whichever is first; between the event and its firing the process may be paused. */
class ProcessTimer implements Timer {
  /** Of the world. */
  event: Timer | undefined;
  readonly #callback: () => void;
  readonly #onOver: () => void;
  #isOver = false;

  constructor(callback: () => void, onOver: () => void) {
    this.#callback = callback;
    this.#onOver = onOver;
  }

  readonly fire = (): void => {
    if (this.#isFirst()) this.#callback();
  };

  cancel(): void {
    if (this.#isFirst()) this.event?.cancel();
  }

  #isFirst(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#onOver();
    return true;
  }
}
