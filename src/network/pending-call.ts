/** @module A promise that its owner settles, or its deadline, or its caller's signal, whichever is first. */
import type { Clock, Timer } from '../common/clock.ts';
import { aborted, timedOut, unreachable } from './errors.ts';
import { type CallOptions, DEFAULT_CALL_TIMEOUT_MS, type PeerId } from './network.ts';

/** A deadline that is looked at this much too late: the process stood still, in milliseconds. */
const STANDSTILL_MS = 50;
/** For what came in meanwhile to be read: timers are looked at before sockets. */
const GRACE_MS = 50;

export interface PendingCallOptions extends CallOptions {
  readonly peer: PeerId;
  readonly method: string;
}

export class PendingCall<Result> {
  readonly promise: Promise<Result>;
  /** Set once the request is under way: tells the other side that the answer is no longer wanted. */
  giveUp: (() => void) | undefined;
  readonly method: string;
  readonly #peer: PeerId;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #deadlineMs: number;
  #timer: Timer;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: (() => void) | undefined;
  #resolve!: (result: Result) => void;
  #reject!: (error: Error) => void;
  #settled = false;
  #isPardoned = false;

  constructor(components: { clock: Clock }, options: PendingCallOptions) {
    this.method = options.method;
    this.#peer = options.peer;
    this.#clock = components.clock;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_CALL_TIMEOUT_MS;
    this.#deadlineMs = this.#clock.monotonicMs() + this.#timeoutMs;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = this.#expireAfter(Math.min(this.#timeoutMs, options.connectTimeoutMs ?? this.#timeoutMs));
    this.#signal = options.signal;
    if (this.#signal === undefined) return;
    this.#onAbort = () => this.#abandon(aborted(this.#peer, this.method, this.#signal?.reason));
    if (this.#signal.aborted) this.#onAbort();
    else this.#signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Whole milliseconds until the deadline, at least 1. */
  remainingMs(): number {
    return Math.max(1, Math.ceil(this.#deadlineMs - this.#clock.monotonicMs()));
  }

  resolve(result: Result): void {
    if (this.#settle()) this.#resolve(result);
  }

  reject(error: Error): void {
    if (this.#settle()) this.#reject(error);
  }

  #expireAfter(delayMs: number): Timer {
    return this.#clock.after(delayMs, () => this.#expire(delayMs));
  }

  /**
   * What was sent has until the deadline to be answered, however long it waited for the connection. An answer may be here
   * already, in a process that did not get the processor: to ask anew would only cost more of it.
   */
  #expire(waitedMs: number): void {
    const lateMs = this.#clock.monotonicMs() - this.#deadlineMs;
    if (this.giveUp === undefined)
      this.#abandon(unreachable(this.#peer, `no connection within ${waitedMs} ms for ${this.method}`));
    else if (lateMs < 0) this.#timer = this.#expireAfter(this.remainingMs());
    else if (lateMs >= STANDSTILL_MS && !this.#isPardoned) {
      this.#isPardoned = true;
      this.#timer = this.#expireAfter(GRACE_MS);
    } else this.#abandon(timedOut(this.#peer, this.method, this.#timeoutMs));
  }

  #abandon(error: Error): void {
    if (this.#settled) return;
    this.giveUp?.();
    this.reject(error);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#timer.cancel();
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }
}
