/** @module The Network over any transport of framed streams: links out, sessions in, one table of handlers. */
import { relayAbort } from '../common/abort-relay.ts';
import type { Clock } from '../common/clock.ts';
import { withDeadline } from '../common/deadline.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import { ByClass } from './by-class.ts';
import { disconnected, unreachable } from './errors.ts';
import { HandlerTable } from './handler-table.ts';
import { InboundSession } from './inbound-session.ts';
import { memoryStreamPair } from './memory-stream.ts';
import {
  type Authorizer,
  type CallOptions,
  type Channel,
  type ChannelHandler,
  DEFAULT_CALL_TIMEOUT_MS,
  type Network,
  type NoticeHandler,
  type PeerEvents,
  type PeerId,
  type PeerPath,
  type RequestHandler,
  type TrafficClass,
} from './network.ts';
import { PeerLink } from './peer-link.ts';
import { RECEIVE_BUDGET_BYTES, ReceiveBudget } from './receive-budget.ts';
import type { FrameStream, Transport } from './transport.ts';

const DRAIN_MS = 1_000;
/**
 * For the transport to close its connections. Libp2p waits for that with timers that do not keep a process alive, and now
 * and then for nothing (a peer that turned us away and is gone): Node then ended a command before it had said anything.
 */
const CLOSE_MS = 2_000;

export interface FramedNetworkComponents {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export class FramedNetwork implements Network {
  readonly #components: FramedNetworkComponents;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #budget = new ReceiveBudget({ limitBytes: RECEIVE_BUDGET_BYTES });
  readonly #handlers = new HandlerTable();
  readonly #observers: PeerEvents[] = [];
  readonly #links = new ByClass<PeerLink>();
  readonly #inbound = new Set<InboundSession>();
  #authorizer: Authorizer = () => false;
  #state: 'new' | 'running' | 'stopped' = 'new';

  constructor(components: FramedNetworkComponents) {
    this.#components = components;
    this.#transport = components.transport;
    this.#clock = components.clock;
  }

  get localPeer(): PeerId {
    return this.#transport.localPeer;
  }

  addresses(): readonly string[] {
    return this.#state === 'running' ? this.#transport.addresses() : [];
  }

  get isReachable(): boolean {
    return this.#transport.isReachable ?? true;
  }

  learn(peer: PeerId, addresses: readonly string[]): void {
    if (peer !== this.localPeer) this.#transport.learn(peer, addresses);
  }

  async dial(address: string, options?: CallOptions): Promise<PeerId> {
    const timeoutMs = options?.timeoutMs ?? DEFAULT_CALL_TIMEOUT_MS;
    const deadline = new AbortController();
    const timer = this.#clock.after(timeoutMs, () =>
      deadline.abort(unreachable(address, `no answer within ${timeoutMs} ms`)),
    );
    const release = relayAbort(options?.signal, deadline);
    try {
      return await this.#transport.dial(address, deadline.signal);
    } finally {
      release();
      timer.cancel();
    }
  }

  isConnected(peer: PeerId): boolean {
    return this.#transport.isConnected(peer);
  }

  connectedPeers(): readonly PeerId[] {
    return this.#transport.connectedPeers();
  }

  paths(): readonly PeerPath[] {
    return this.#transport.paths();
  }

  sign(bytes: Uint8Array): Uint8Array {
    return this.#transport.sign(bytes);
  }

  verify(peer: PeerId, bytes: Uint8Array, signature: Uint8Array): boolean {
    return this.#transport.verify(peer, bytes, signature);
  }

  request(
    peer: PeerId,
    trafficClass: TrafficClass,
    method: string,
    body: Uint8Array,
    options?: CallOptions,
  ): Promise<Uint8Array> {
    if (this.#state !== 'running') return Promise.reject(unreachable(peer, `this network is ${this.#state}`));
    return this.#link(peer, trafficClass).request(method, body, options);
  }

  notify(peer: PeerId, trafficClass: TrafficClass, method: string, body: Uint8Array): boolean {
    return this.#state === 'running' && this.#link(peer, trafficClass).notify(method, body);
  }

  open(peer: PeerId, method: string, header: Uint8Array, options?: CallOptions): Promise<Channel> {
    if (this.#state !== 'running') return Promise.reject(unreachable(peer, `this network is ${this.#state}`));
    return this.#link(peer, 'bulk').open(method, header, options);
  }

  onRequest(trafficClass: TrafficClass, method: string, handler: RequestHandler): void {
    this.#handlers.addRequest(trafficClass, method, handler);
  }

  onNotice(trafficClass: TrafficClass, method: string, handler: NoticeHandler): void {
    this.#handlers.addNotice(trafficClass, method, handler);
  }

  onChannel(method: string, handler: ChannelHandler): void {
    this.#handlers.addChannel(method, handler);
  }

  onPeer(events: PeerEvents): void {
    this.#observers.push(events);
  }

  authorize(rule: Authorizer): void {
    this.#authorizer = rule;
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    await this.#transport.start({
      stream: (peer, trafficClass, stream) => this.#accept(peer, trafficClass, stream),
      connected: (peer) => this.#connected(peer),
      disconnected: (peer) => this.#tell((observer) => observer.disconnected?.(peer)),
      improved: (peer) => this.#improved(peer),
      addressesChanged: () => this.#tell((observer) => observer.addressesChanged?.()),
      admits: (peer) => this.#admits(peer),
    });
    this.#state = 'running';
  }

  async stop(): Promise<void> {
    const wasRunning = this.#state === 'running';
    this.#state = 'stopped';
    if (!wasRunning) return;
    await this.#drain();
    const cause = disconnected(this.localPeer, 'stop: this node is stopping');
    for (const link of this.#links.values()) link.abort(cause);
    for (const session of this.#inbound) session.abort(cause);
    this.#links.clear();
    await this.#closeTransport();
  }

  async #closeTransport(): Promise<void> {
    try {
      await withDeadline(this.#clock, CLOSE_MS, this.#transport.stop(), notClosed);
    } catch (error) {
      this.#components.logger.debug('network.not-closed', { cause: describeError(error) });
    }
  }

  async #drain(): Promise<void> {
    const limit = new AbortController();
    const timer = this.#clock.after(DRAIN_MS, () => limit.abort(new Error(`not drained in ${DRAIN_MS} ms`)));
    const closings = [...this.#links.values(), ...this.#inbound].map((half) => half.close(limit.signal));
    for (const outcome of await Promise.allSettled(closings))
      if (outcome.status === 'rejected')
        this.#components.logger.debug('network.not-drained', { cause: describeError(outcome.reason) });
    timer.cancel();
  }

  #link(peer: PeerId, trafficClass: TrafficClass): PeerLink {
    let link = this.#links.get(trafficClass, peer);
    if (link === undefined) {
      const { clock, random, logger } = this.#components;
      const connect = (signal: AbortSignal): Promise<FrameStream> =>
        peer === this.localPeer
          ? Promise.resolve(this.#loopBack(trafficClass))
          : this.#transport.connect(peer, trafficClass, signal);
      link = new PeerLink({ connect, clock, random, logger, budget: this.#budget }, { peer, trafficClass });
      this.#links.set(trafficClass, peer, link);
    }
    return link;
  }

  #loopBack(trafficClass: TrafficClass): FrameStream {
    const [ours, theirs] = memoryStreamPair((deliver) => queueMicrotask(deliver));
    this.#accept(this.localPeer, trafficClass, theirs);
    return ours;
  }

  #accept(peer: PeerId, trafficClass: TrafficClass, stream: FrameStream): void {
    const { clock, logger } = this.#components;
    const isOpen = trafficClass === 'join' || peer === this.localPeer;
    const session = new InboundSession(
      {
        stream,
        handlers: this.#handlers,
        clock,
        logger,
        budget: this.#budget,
        admits: () => isOpen || this.#authorizer(peer, trafficClass),
        closed: () => this.#inbound.delete(session),
      },
      { localPeer: this.localPeer, peer, trafficClass },
    );
    this.#inbound.add(session);
    session.start();
  }

  /** For protocols that can only say yes or no: who cannot be told from a stranger is none of ours. */
  async #admits(peer: PeerId): Promise<boolean> {
    try {
      return await this.#authorizer(peer, 'control');
    } catch (error) {
      this.#components.logger.debug('network.admission-undecided', { peer, error: describeError(error) });
      return false;
    }
  }

  #connected(peer: PeerId): void {
    for (const trafficClass of ['raft', 'control', 'bulk', 'join'] as const)
      this.#links.get(trafficClass, peer)?.forgetFailures();
    this.#tell((observer) => observer.connected?.(peer));
  }

  #improved(peer: PeerId): void {
    for (const trafficClass of ['raft', 'control', 'bulk'] as const)
      this.#links.get(trafficClass, peer)?.improve();
  }

  #tell(event: (observer: PeerEvents) => void): void {
    for (const observer of this.#observers) {
      try {
        event(observer);
      } catch (error) {
        this.#components.logger.error('network.observer-failed', { cause: describeError(error) });
      }
    }
  }
}

function notClosed(): Error {
  return new Error(`not closed in ${CLOSE_MS} ms`);
}
