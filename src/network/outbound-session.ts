/** @module Our half of a stream that we opened: requests wait here for their answers, channels for their credit. */
import type { Clock, Timer } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import { StreamChannel } from './channel.ts';
import { brokenFrame, decodeError, disconnected, overloaded, tooLarge } from './errors.ts';
import { FrameKind, MAX_BODY_BYTES, MAX_UINT32, methodHead } from './frame.ts';
import type { PathKind, PeerId } from './network.ts';
import type { PendingCall } from './pending-call.ts';
import type { ReceiveBudget } from './receive-budget.ts';
import type { FrameStream } from './transport.ts';

/** Unanswered requests and open channels of one stream. */
const MAX_PENDING_REQUESTS = 16_384;
const MAX_CHANNELS = 1024;
/** Well below the 120 s after which an idle stream may be closed. */
const KEEP_ALIVE_MS = 30_000;
/** For what was sent last to leave. */
const RETIRE_TIMEOUT_MS = 5_000;
const NO_BYTES = new Uint8Array(0);

export interface OutboundSessionComponents {
  readonly stream: FrameStream;
  readonly clock: Clock;
  readonly budget: ReceiveBudget;
  /** Called once, after everything pending was rejected. */
  readonly closed: () => void;
}

export class OutboundSession {
  readonly #stream: FrameStream;
  readonly #clock: Clock;
  readonly #budget: ReceiveBudget;
  readonly #peer: PeerId;
  readonly #closed: () => void;
  readonly #pending = new Map<number, PendingCall<Uint8Array>>();
  readonly #channels = new Map<number, StreamChannel>();
  readonly #keepAlive: Timer;
  #lastId = 0;
  #isRetired = false;

  constructor(components: OutboundSessionComponents, options: { peer: PeerId }) {
    this.#stream = components.stream;
    this.#clock = components.clock;
    this.#budget = components.budget;
    this.#closed = components.closed;
    this.#peer = options.peer;
    this.#keepAlive = this.#clock.every(KEEP_ALIVE_MS, () => this.#send(FrameKind.ping, 0, 0));
  }

  /** Call it once, when `closed` may be called: the stream may be closed already. */
  start(): void {
    this.#stream.listen({
      frame: (kind, id, argument, body) => this.#receive(kind, id, argument, body),
      closed: (cause) => this.#end(cause),
    });
  }

  /** Sends the request and settles `call` in time. */
  request(call: PendingCall<Uint8Array>, body: Uint8Array): void {
    const refusal = this.#refusal(call.method, body, this.#pending.size >= MAX_PENDING_REQUESTS);
    if (refusal !== undefined) return call.reject(refusal);
    const id = this.#nextId();
    this.#pending.set(id, call);
    call.giveUp = () => {
      if (this.#pending.delete(id)) this.#send(FrameKind.cancel, id, 0);
      this.#maybeLeave();
    };
    this.#stream.send(FrameKind.request, id, call.remainingMs(), methodHead(call.method), body);
  }

  /** Says whether the notice was queued. */
  notify(method: string, body: Uint8Array): boolean {
    if (this.#refusal(method, body, false) !== undefined) return false;
    return this.#stream.send(FrameKind.notice, 0, 0, methodHead(method), body);
  }

  open(call: PendingCall<StreamChannel>, header: Uint8Array): void {
    const refusal = this.#refusal(call.method, header, this.#channels.size >= MAX_CHANNELS);
    if (refusal !== undefined) return call.reject(refusal);
    const id = this.#nextId();
    const channel = new StreamChannel(
      { stream: this.#stream, budget: this.#budget, closed: () => this.#channelClosed(id) },
      { peer: this.#peer, id, method: call.method },
    );
    this.#channels.set(id, channel);
    this.#stream.send(FrameKind.open, id, call.remainingMs(), methodHead(call.method), header);
    call.resolve(channel);
  }

  /** The way its stream takes. */
  get path(): PathKind {
    return this.#stream.path;
  }

  /** Another session takes its place: it ends once everything pending has. */
  retire(): void {
    this.#isRetired = true;
    this.#maybeLeave();
  }

  abort(cause: Error): void {
    this.#stream.abort(cause);
  }

  /** Sends what is queued, then closes the stream. */
  close(signal: AbortSignal): Promise<void> {
    return this.#stream.close(signal);
  }

  #refusal(method: string, body: Uint8Array, isFull: boolean): Error | undefined {
    const sizeBytes = methodHead(method).byteLength + body.byteLength;
    if (sizeBytes > MAX_BODY_BYTES) return tooLarge(method, sizeBytes, MAX_BODY_BYTES);
    return isFull || this.#stream.overfull ? overloaded(this.#peer, 'send queue') : undefined;
  }

  #nextId(): number {
    do this.#lastId = this.#lastId === MAX_UINT32 ? 1 : this.#lastId + 1;
    while (this.#pending.has(this.#lastId) || this.#channels.has(this.#lastId));
    return this.#lastId;
  }

  #send(kind: FrameKind, id: number, argument: number): void {
    this.#stream.send(kind, id, argument, NO_BYTES, NO_BYTES);
  }

  /** An id we do not know belongs to something given up meanwhile: the frame is dropped. */
  #receive(kind: FrameKind, id: number, argument: number, body: Uint8Array): void {
    switch (kind) {
      case FrameKind.response:
        return this.#take(id)?.resolve(body);
      case FrameKind.failure:
        return this.#take(id)?.reject(decodeError(body));
      case FrameKind.data:
        return this.#channels.get(id)?.receiveData(body);
      case FrameKind.credit:
        return this.#channels.get(id)?.receiveCredit(argument);
      case FrameKind.end:
        return this.#channels.get(id)?.receiveEnd();
      case FrameKind.abort:
        return this.#channels.get(id)?.fail(decodeError(body));
      case FrameKind.request:
      case FrameKind.cancel:
      case FrameKind.notice:
      case FrameKind.ping:
      case FrameKind.open:
        return this.#stream.abort(brokenFrame(`kind ${kind} on a stream that we opened`));
      default:
        kind satisfies never;
    }
  }

  #take(id: number): PendingCall<Uint8Array> | undefined {
    const call = this.#pending.get(id);
    this.#pending.delete(id);
    this.#maybeLeave();
    return call;
  }

  #channelClosed(id: number): void {
    this.#channels.delete(id);
    this.#maybeLeave();
  }

  #maybeLeave(): void {
    if (!this.#isRetired || this.#pending.size > 0 || this.#channels.size > 0) return;
    this.#isRetired = false;
    const limit = new AbortController();
    const timer = this.#clock.after(RETIRE_TIMEOUT_MS, () =>
      limit.abort(new Error(`not closed in ${RETIRE_TIMEOUT_MS} ms`)),
    );
    void this.#stream
      .close(limit.signal)
      .catch((error: Error) => this.#stream.abort(error))
      .finally(() => timer.cancel());
  }

  #end(cause: unknown): void {
    this.#keepAlive.cancel();
    const calls = [...this.#pending.values()];
    this.#pending.clear();
    this.#closed();
    for (const call of calls) call.reject(disconnected(this.#peer, call.method, cause));
    for (const channel of this.#channels.values())
      channel.fail(disconnected(this.#peer, `a channel (${describeError(cause)})`, cause));
  }
}
