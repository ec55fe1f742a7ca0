/** @module The one long-lived stream to a peer for a traffic class: connects when needed, and backs off when it cannot. */
import type { Clock } from '../common/clock.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import type { StreamChannel } from './channel.ts';
import { overloaded, unreachable } from './errors.ts';
import type { CallOptions, Channel, PathKind, PeerId, TrafficClass } from './network.ts';
import { OutboundSession } from './outbound-session.ts';
import { PendingCall } from './pending-call.ts';
import type { ReceiveBudget } from './receive-budget.ts';
import type { FrameStream } from './transport.ts';

/** Calls that wait for the stream to be there. */
const MAX_WAITING = 4096;
const CONNECT_TIMEOUT_MS = 5_000;
/** Doubles from the first to the second with each failure; a peer that comes back is found again within a second. */
const FIRST_BACK_OFF_MS = 50;
const LAST_BACK_OFF_MS = 800;
const BACK_OFF_JITTER_MS = 100;
/** Ways for which there may be a better one. */
const PROVISIONAL: ReadonlySet<PathKind> = new Set(['relayed', 'resumed', 'shared']);

export interface PeerLinkComponents {
  readonly connect: (signal: AbortSignal) => Promise<FrameStream>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly budget: ReceiveBudget;
}

export interface PeerLinkOptions {
  readonly peer: PeerId;
  readonly trafficClass: TrafficClass;
}

interface Waiter {
  readonly run: (session: OutboundSession) => void;
  readonly fail: (error: Error) => void;
}

export class PeerLink {
  readonly #components: PeerLinkComponents;
  readonly #peer: PeerId;
  readonly #trafficClass: TrafficClass;
  #session: OutboundSession | undefined;
  #connecting: AbortController | undefined;
  readonly #waiters: Waiter[] = [];
  #failures = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #lastFailure = 'not tried yet';
  #closedBy: Error | undefined;

  constructor(components: PeerLinkComponents, options: PeerLinkOptions) {
    this.#components = components;
    this.#peer = options.peer;
    this.#trafficClass = options.trafficClass;
  }

  request(method: string, body: Uint8Array, options?: CallOptions): Promise<Uint8Array> {
    const call = new PendingCall<Uint8Array>(this.#components, { ...options, peer: this.#peer, method });
    if (call.settled) return call.promise;
    if (this.#session !== undefined) this.#session.request(call, body);
    else this.#whenConnected(call, (session) => session.request(call, body));
    return call.promise;
  }

  notify(method: string, body: Uint8Array): boolean {
    if (this.#session !== undefined) return this.#session.notify(method, body);
    return (
      this.#enqueue({ run: (session) => void session.notify(method, body), fail: () => {} }) === undefined
    );
  }

  open(method: string, header: Uint8Array, options?: CallOptions): Promise<Channel> {
    const call = new PendingCall<StreamChannel>(this.#components, { ...options, peer: this.#peer, method });
    if (!call.settled) this.#whenConnected(call, (session) => session.open(call, header));
    return call.promise;
  }

  /** The peer was just seen: what was learned from earlier failures is out of date. */
  forgetFailures(): void {
    this.#failures = 0;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }

  /** There may be a better way than the one that this link uses: what comes from now on takes it. */
  improve(): void {
    const path = this.#session?.path;
    if (path === undefined || !PROVISIONAL.has(path) || this.#closedBy !== undefined) return;
    if (this.#connecting === undefined) void this.#connect();
  }

  /** Sends what is queued, then closes. */
  async close(signal: AbortSignal): Promise<void> {
    await this.#session?.close(signal);
  }

  /** Rejects everything, now and later. */
  abort(cause: Error): void {
    this.#closedBy = cause;
    this.#connecting?.abort(cause);
    this.#session?.abort(cause);
    this.#failWaiters(cause);
  }

  #whenConnected<Result>(call: PendingCall<Result>, send: (session: OutboundSession) => void): void {
    const refusal = this.#enqueue({
      run: (session) => {
        if (!call.settled) send(session);
      },
      fail: (error) => call.reject(error),
    });
    if (refusal !== undefined) call.reject(refusal);
  }

  /** Returns why the waiter was not taken. */
  #enqueue(waiter: Waiter): Error | undefined {
    if (this.#closedBy !== undefined) return unreachable(this.#peer, 'this node is stopping', this.#closedBy);
    if (this.#session !== undefined) {
      waiter.run(this.#session);
      return undefined;
    }
    if (this.#waiters.length >= MAX_WAITING)
      return overloaded(this.#peer, 'queue of calls awaiting a connection');
    if (this.#components.clock.monotonicMs() < this.#retryAtMs)
      return unreachable(this.#peer, `the last attempt failed a moment ago (${this.#lastFailure})`);
    this.#waiters.push(waiter);
    if (this.#connecting === undefined) void this.#connect();
    return undefined;
  }

  async #connect(): Promise<void> {
    const connecting = new AbortController();
    this.#connecting = connecting;
    const timer = this.#components.clock.after(CONNECT_TIMEOUT_MS, () =>
      connecting.abort(unreachable(this.#peer, `no answer within ${CONNECT_TIMEOUT_MS} ms`)),
    );
    try {
      const stream = await this.#components.connect(connecting.signal);
      if (this.#closedBy !== undefined) return stream.abort(this.#closedBy);
      this.#connected(stream);
    } catch (cause) {
      this.#backOff(cause);
    } finally {
      timer.cancel();
      this.#connecting = undefined;
    }
  }

  /** Throws NETWORK_UNREACHABLE when the stream has been closed meanwhile. */
  #connected(stream: FrameStream): void {
    this.forgetFailures();
    if (this.#session !== undefined) {
      if (stream.path === this.#session.path)
        return stream.abort(unreachable(this.#peer, 'no better way was found'));
      this.#session.retire();
    }
    const session = new OutboundSession(
      {
        stream,
        clock: this.#components.clock,
        budget: this.#components.budget,
        closed: () => {
          if (this.#session === session) this.#session = undefined;
        },
      },
      { peer: this.#peer },
    );
    this.#session = session;
    session.start();
    if (this.#session === undefined) throw unreachable(this.#peer, 'the connection broke at once');
    for (const waiter of this.#waiters.splice(0)) waiter.run(session);
  }

  #backOff(cause: unknown): void {
    const error = isHoldfastError(cause, 'NETWORK_UNREACHABLE')
      ? cause
      : unreachable(this.#peer, describeError(cause), cause);
    const pauseMs = Math.min(LAST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#lastFailure = String(error.facts['reason'] ?? error.message);
    this.#retryAtMs =
      this.#components.clock.monotonicMs() + pauseMs + this.#components.random.int(BACK_OFF_JITTER_MS);
    this.#components.logger.debug('network.connect-failed', {
      peer: this.#peer,
      trafficClass: this.#trafficClass,
      reason: this.#lastFailure,
    });
    this.#failWaiters(error);
  }

  #failWaiters(error: Error): void {
    for (const waiter of this.#waiters.splice(0)) waiter.fail(error);
  }
}
