/** @module A request being served. Its signal costs nothing until a handler asks for it. */
import type { Clock, Timer } from '../common/clock.ts';
import { timedOut } from './errors.ts';
import type { IncomingRequest, PeerId } from './network.ts';

/** How much before the asker's deadline the signal fires, so that the handler's last word still reaches it. */
const ANSWER_MARGIN_MS = 250;
/** Of short deadlines at most this share is kept back. */
const ANSWER_MARGIN_SHARE = 0.1;
/** A timer that is given more fires at once. */
const LONGEST_TIMEOUT_MS: number = 2 ** 31 - 1;

export class IncomingCall implements IncomingRequest {
  readonly peer: PeerId;
  readonly body: Uint8Array;
  readonly method: string;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #deadlineMs: number;
  #abortion: AbortController | undefined;
  #timer: Timer | undefined;
  #ended: Error | undefined;

  constructor(
    components: { clock: Clock },
    options: { peer: PeerId; body: Uint8Array; method: string; timeoutMs: number },
  ) {
    this.peer = options.peer;
    this.body = options.body;
    this.method = options.method;
    this.#clock = components.clock;
    this.#timeoutMs = Math.min(options.timeoutMs, LONGEST_TIMEOUT_MS);
    const marginMs = Math.min(ANSWER_MARGIN_MS, this.#timeoutMs * ANSWER_MARGIN_SHARE);
    this.#deadlineMs = this.#clock.monotonicMs() + this.#timeoutMs - marginMs;
  }

  get signal(): AbortSignal {
    if (this.#abortion !== undefined) return this.#abortion.signal;
    this.#abortion = new AbortController();
    const leftMs = this.#deadlineMs - this.#clock.monotonicMs();
    if (this.#ended !== undefined) this.#abortion.abort(this.#ended);
    else if (leftMs <= 0) this.abort(timedOut(this.peer, this.method, this.#timeoutMs));
    else
      this.#timer = this.#clock.after(leftMs, () =>
        this.abort(timedOut(this.peer, this.method, this.#timeoutMs)),
      );
    return this.#abortion.signal;
  }

  abort(reason: Error): void {
    this.#ended ??= reason;
    this.#timer?.cancel();
    this.#abortion?.abort(reason);
  }

  /** The answer is on its way: the signal will not fire any more. */
  finish(): void {
    this.#timer?.cancel();
  }
}
