/** @module Virtual time: events in the order of (time, sequence), each with everything it started settled before the next. */
import type { Timer } from '../../src/common/clock.ts';
import { EventHeap } from './event-heap.ts';

/** An event that keeps making others at one moment is a loop of ours, not a busy system. */
const MAX_EVENTS_AT_ONCE = 100_000;
/** Turns of the event loop asked for at a time: one by one, each would cost a look at all its other sources. */
const TURNS_AHEAD = 64;

/** Nothing in it takes real time but the computing. */
export class World {
  readonly #events = new EventHeap();
  #nowMs = 0;
  #steps = 0;
  /** Asked for and not yet come. */
  #turns = 0;
  /** What is to be done once everything has settled. */
  #next: (() => void) | undefined;

  /** Milliseconds since the world began, fractional. True time: no process can read it. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events run so far. */
  get steps(): number {
    return this.#steps;
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#events.add(this.#nowMs + Math.max(0, delayMs), callback);
  }

  /** Resolves once `delayMs` have passed. */
  pass(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** Runs until `untilMs`, or until `isDone` says so after an event; `afterEach` looks at what an event has done. */
  async run(untilMs: number, afterEach: () => void, isDone: () => boolean = () => false): Promise<void> {
    let atOnce = 0;
    /** False when there is nothing more to wait for. */
    const step = (): boolean => {
      const event = isDone() ? undefined : this.#events.takeUntil(untilMs);
      if (event === undefined) return false;
      atOnce = event.atMs > this.#nowMs ? 0 : atOnce + 1;
      if (atOnce > MAX_EVENTS_AT_ONCE) throw new Error(`Time stands still at ${this.#nowMs} ms.`);
      this.#nowMs = event.atMs;
      this.#steps += 1;
      event.callback();
      return true;
    };
    await this.#settled(step, afterEach);
    if (!isDone()) this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /**
   * Nothing happens here any more. What waits for time would be kept for ever otherwise, and its cluster with it: the runtime
   * holds on to signals made of others for as long as somebody listens to them.
   */
  end(): void {
    this.#events.clear();
  }

  /**
   * Each step in a turn of its own, and what it started settled before `afterEach` and the next: an immediate comes after all
   * promises and ticks that are ready, and as no real I/O is under way nothing else is left. Without a promise of its own for
   * each: there are tens of thousands.
   */
  #settled(step: () => boolean, afterEach: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      let isFirst = true;
      const turn = (): void => {
        try {
          if (!isFirst) afterEach();
          isFirst = false;
          if (!step()) return resolve();
        } catch (error) {
          return reject(error);
        }
        this.#atNextTurn(turn);
      };
      this.#atNextTurn(turn);
    });
  }

  #atNextTurn(next: () => void): void {
    this.#next = next;
    if (this.#turns > 0) return;
    for (; this.#turns < TURNS_AHEAD; this.#turns += 1)
      // oxlint-disable-next-line no-restricted-globals -- of the event loop's own turns nothing depends on real time
      setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#turns -= 1;
    const next = this.#next;
    this.#next = undefined;
    next?.();
  }
}
