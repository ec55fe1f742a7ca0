/** @module Our half of a stream that a peer opened: its requests, notices and channels meet our handlers here. */
import { describeError, type HoldfastError, isHoldfastError } from '../common/errors.ts';
import { StreamChannel } from './channel.ts';
import {
  aborted,
  brokenFrame,
  decodeError,
  disconnected,
  encodeError,
  noSuchMethod,
  overloaded,
  toHoldfastError,
  tooLarge,
} from './errors.ts';
import {
  type Frame,
  FrameAdmission,
  type FrameAdmissionComponents,
  type FrameAdmissionOptions,
} from './frame-admission.ts';
import { FrameKind, MAX_BODY_BYTES, MAX_STRANGER_BODY_BYTES, splitMethod } from './frame.ts';
import type { HandlerTable } from './handler-table.ts';
import { IncomingCall } from './incoming-call.ts';
import type { IncomingChannel, PeerId } from './network.ts';
import type { ReceiveBudget } from './receive-budget.ts';
import type { FrameStream } from './transport.ts';
import { UnreadAnswers } from './unread-answers.ts';

/** Requests being served and channels open at once on one stream. */
const MAX_RUNNING_CALLS = 16_384;
const MAX_CHANNELS = 1024;
/** The same of a stranger, who has one thing to ask. */
const MAX_STRANGER_CALLS = 16;
const NO_BYTES = new Uint8Array(0);

export interface InboundSessionComponents extends FrameAdmissionComponents {
  readonly stream: FrameStream;
  readonly handlers: HandlerTable;
  readonly budget: ReceiveBudget;
  readonly closed: () => void;
}

export interface InboundSessionOptions extends FrameAdmissionOptions {
  readonly localPeer: PeerId;
}

export class InboundSession {
  readonly #components: InboundSessionComponents;
  readonly #options: InboundSessionOptions;
  readonly #stream: FrameStream;
  /** Everybody is let in to `join`, and remains a stranger. */
  readonly #isForStrangers: boolean;
  readonly #unread: UnreadAnswers;
  readonly #calls = new Map<number, IncomingCall>();
  readonly #channels = new Map<number, StreamChannel>();
  readonly #admission: FrameAdmission;

  constructor(components: InboundSessionComponents, options: InboundSessionOptions) {
    this.#components = components;
    this.#options = options;
    this.#stream = components.stream;
    this.#isForStrangers = options.trafficClass === 'join';
    this.#unread = new UnreadAnswers(components.stream, options);
    this.#admission = new FrameAdmission(components, options, {
      serve: (frame) => this.#serve(frame),
      refuse: (reason, frame) => this.#refuse(reason, frame),
    });
  }

  /** Call it once, when `closed` may be called: the stream may be closed already. */
  start(): void {
    this.#stream.limitBody(MAX_STRANGER_BODY_BYTES);
    this.#stream.listen({
      frame: (kind, id, argument, body) => this.#admission.receive({ kind, id, argument, body }),
      closed: (cause) => this.#end(cause),
    });
    this.#admission.start();
  }

  abort(cause: Error): void {
    this.#stream.abort(cause);
  }

  close(signal: AbortSignal): Promise<void> {
    return this.#stream.close(signal);
  }

  #refuse(error: HoldfastError, { kind, id }: Frame): void {
    this.#unread.checkStranger();
    if (kind === FrameKind.request) this.#fail(id, error);
    if (kind === FrameKind.open) this.#stream.send(FrameKind.abort, id, 0, NO_BYTES, encodeError(error));
    this.#channels.get(id)?.abort(error);
  }

  #serve({ kind, id, argument, body }: Frame): void {
    if (this.#isForStrangers) this.#unread.checkStranger();
    switch (kind) {
      case FrameKind.request:
        return this.#serveRequest(id, argument, body);
      case FrameKind.cancel:
        return this.#calls.get(id)?.abort(aborted(this.#options.peer, 'a request'));
      case FrameKind.notice:
        return this.#serveNotice(body);
      case FrameKind.ping:
        return;
      case FrameKind.open:
        return this.#serveChannel(id, body);
      case FrameKind.data:
        return this.#channels.get(id)?.receiveData(body);
      case FrameKind.credit:
        return this.#channels.get(id)?.receiveCredit(argument);
      case FrameKind.end:
        return this.#channels.get(id)?.receiveEnd();
      case FrameKind.abort:
        return this.#channels.get(id)?.fail(decodeError(body));
      case FrameKind.response:
      case FrameKind.failure:
        return this.#stream.abort(brokenFrame(`kind ${kind} on a stream that the peer opened`));
      default:
        kind satisfies never;
    }
  }

  #serveRequest(id: number, timeoutMs: number, body: Uint8Array): void {
    const { localPeer, peer, trafficClass } = this.#options;
    const { method, rest } = splitMethod(body);
    if (this.#calls.has(id)) throw brokenFrame(`request ${id} a second time, before it was answered`);
    const handler = this.#components.handlers.request(trafficClass, method);
    if (handler === undefined) return this.#refuseRequest(id, noSuchMethod(localPeer, method));
    const limit = this.#isForStrangers ? MAX_STRANGER_CALLS : MAX_RUNNING_CALLS;
    if (this.#calls.size >= limit || this.#stream.overfull)
      return this.#refuseRequest(id, overloaded(localPeer, 'queue of requests being served'));
    const call = new IncomingCall(this.#components, { peer, body: rest, method, timeoutMs });
    this.#calls.set(id, call);
    attempt(() => handler(call)).then(
      (response) => this.#answer(id, call, response),
      (error: unknown) => {
        this.#finish(id, call);
        this.#fail(id, this.#tell(error, method));
      },
    );
  }

  #refuseRequest(id: number, error: HoldfastError): void {
    this.#unread.countRefusal();
    this.#fail(id, error);
  }

  #answer(id: number, call: IncomingCall, response: Uint8Array): void {
    this.#finish(id, call);
    if (response.byteLength > MAX_BODY_BYTES)
      return this.#fail(id, tooLarge(`the answer to ${call.method}`, response.byteLength, MAX_BODY_BYTES));
    this.#stream.send(FrameKind.response, id, 0, NO_BYTES, response);
  }

  #finish(id: number, call: IncomingCall): void {
    call.finish();
    this.#calls.delete(id);
  }

  #serveNotice(body: Uint8Array): void {
    const { peer, trafficClass } = this.#options;
    const { method, rest } = splitMethod(body);
    const handler = this.#components.handlers.notice(trafficClass, method);
    if (handler === undefined)
      return this.#components.logger.debug('network.unknown-notice', { peer, method });
    try {
      handler(peer, rest);
    } catch (error) {
      this.#tell(error, method);
    }
  }

  #serveChannel(id: number, body: Uint8Array): void {
    const { localPeer, peer, trafficClass } = this.#options;
    const { method, rest } = splitMethod(body);
    if (this.#channels.has(id)) throw brokenFrame(`channel ${id} a second time, before its end`);
    // Channels are bulk's alone: who may speak another class, as everybody may `join`, has no right to them by that.
    const handler = trafficClass === 'bulk' ? this.#components.handlers.channel(method) : undefined;
    const channel = new StreamChannel(
      { stream: this.#stream, budget: this.#components.budget, closed: () => this.#channels.delete(id) },
      { peer, id, method },
    );
    if (handler === undefined || this.#channels.size >= MAX_CHANNELS) {
      this.#unread.countRefusal();
      return channel.abort(
        handler === undefined ? noSuchMethod(localPeer, method) : overloaded(localPeer, 'set of channels'),
      );
    }
    this.#channels.set(id, channel);
    const incoming: IncomingChannel = Object.assign(channel, { header: rest });
    attempt(() => handler(incoming)).then(
      () => channel.finish(),
      (error: unknown) => {
        // After a failure of the channel itself the handler's error is only its echo.
        if (!channel.signal.aborted) channel.abort(this.#tell(error, method));
      },
    );
  }

  #fail(id: number, error: Error): void {
    const wire = encodeError(toHoldfastError(error, this.#options.localPeer, 'a request'));
    this.#stream.send(FrameKind.failure, id, 0, NO_BYTES, wire);
  }

  /** What the peer is told; what it is not told goes to our log. */
  #tell(error: unknown, method: string): Error {
    if (!isHoldfastError(error))
      this.#components.logger.error('network.handler-failed', {
        method,
        peer: this.#options.peer,
        cause: error instanceof Error ? error.stack : describeError(error),
      });
    return toHoldfastError(error, this.#options.localPeer, method);
  }

  #end(cause: unknown): void {
    this.#components.closed();
    this.#admission.end();
    const error = disconnected(this.#options.peer, 'a request', cause);
    for (const call of this.#calls.values()) call.abort(error);
    this.#calls.clear();
    for (const channel of this.#channels.values()) channel.fail(error);
  }
}

/** Calls a handler so that a synchronous throw is a rejection too. */
function attempt<Result>(handler: () => Promise<Result>): Promise<Result> {
  try {
    return handler();
  } catch (error) {
    return Promise.reject(error);
  }
}
