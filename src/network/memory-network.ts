/** @module The in-memory twin of the network: a switch that links nodes of one process, and can cut and kill them. */
import type { Clock } from '../common/clock.ts';
import { silentLogger, type Logger } from '../common/logger.ts';
import type { Random } from '../common/random.ts';
import { badAddress, unreachable } from './errors.ts';
import { FramedNetwork } from './framed-network.ts';
import { type MemoryStream, memoryStreamPair } from './memory-stream.ts';
import type { PeerId, PeerPath, TrafficClass } from './network.ts';
import { isUnprovenSignature, unprovenSignature } from './peer-signature.ts';
import type { FrameStream, Transport, TransportListener } from './transport.ts';

interface Link {
  readonly ends: readonly [PeerId, PeerId];
  readonly streams: Set<MemoryStream>;
}

/** Every node of a test hangs on one switch. */
export class MemorySwitch {
  readonly #clock: Clock;
  readonly #latencyMs: number;
  readonly #nodes = new Map<PeerId, TransportListener>();
  readonly #links = new Map<string, Link>();
  readonly #cuts = new Set<string>();

  /** `latencyMs` is one way; with 0 a frame arrives in a later microtask. */
  constructor(components: { clock: Clock }, options: { latencyMs?: number } = {}) {
    this.#clock = components.clock;
    this.#latencyMs = options.latencyMs ?? 0;
  }

  /** Breaks the connection between two peers, and refuses new ones until heal(). */
  cut(a: PeerId, b: PeerId): void {
    this.#cuts.add(linkKey(a, b));
    this.#break(linkKey(a, b), `the link between ${a} and ${b} was cut`);
  }

  heal(a: PeerId, b: PeerId): void {
    this.#cuts.delete(linkKey(a, b));
  }

  /** As kill -9: the peer is gone at once, and both sides of its connections see them break. */
  kill(peer: PeerId): void {
    for (const [key, link] of this.#links)
      if (link.ends.includes(peer)) this.#break(key, `peer ${peer} was killed`);
    this.#nodes.delete(peer);
  }

  attach(peer: PeerId, node: TransportListener): void {
    this.#nodes.set(peer, node);
  }

  isConnected(a: PeerId, b: PeerId): boolean {
    return this.#links.has(linkKey(a, b));
  }

  neighbours(peer: PeerId): PeerId[] {
    return [...this.#links.values()]
      .filter(({ ends }) => ends.includes(peer))
      .map(({ ends }) => (ends[0] === peer ? ends[1] : ends[0]));
  }

  /** Connects two peers, or throws NETWORK_UNREACHABLE. */
  connect(source: PeerId, target: PeerId): void {
    const key = linkKey(source, target);
    const [from, to] = [this.#nodes.get(source), this.#nodes.get(target)];
    if (from === undefined) throw unreachable(target, `${source} is not running`);
    if (to === undefined) throw unreachable(target, 'it is not running');
    if (this.#cuts.has(key)) throw unreachable(target, 'the link is cut');
    if (this.#links.has(key)) return;
    this.#links.set(key, { ends: [source, target], streams: new Set() });
    from.connected(target);
    to.connected(source);
  }

  openStream(source: PeerId, target: PeerId, trafficClass: TrafficClass): FrameStream {
    this.connect(source, target);
    const link = this.#links.get(linkKey(source, target));
    const node = this.#nodes.get(target);
    if (link === undefined || node === undefined) throw unreachable(target, 'it went away');
    const pair = memoryStreamPair((deliver) => this.#carry(deliver));
    for (const stream of pair) link.streams.add(stream);
    node.stream(source, trafficClass, pair[1]);
    return pair[0];
  }

  /** A later delivery, in order. */
  #carry(deliver: () => void): void {
    if (this.#latencyMs === 0) queueMicrotask(deliver);
    else this.#clock.after(this.#latencyMs, deliver);
  }

  #break(key: string, reason: string): void {
    const link = this.#links.get(key);
    if (link === undefined) return;
    this.#links.delete(key);
    for (const stream of link.streams) stream.sever(new Error(reason));
    const [a, b] = link.ends;
    this.#nodes.get(a)?.disconnected(b);
    this.#nodes.get(b)?.disconnected(a);
  }
}

export interface MemoryNetworkComponents {
  readonly switch: MemorySwitch;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
}

/** Needs no learn(): every peer on the switch can be reached. A killed or stopped peer comes back as a new MemoryNetwork. */
export class MemoryNetwork extends FramedNetwork {
  constructor(components: MemoryNetworkComponents, options: { peer: PeerId }) {
    const { clock, random, logger = silentLogger } = components;
    super({ transport: new MemoryTransport(components.switch, options.peer), clock, random, logger });
  }
}

class MemoryTransport implements Transport {
  readonly localPeer: PeerId;
  readonly #switch: MemorySwitch;

  constructor(home: MemorySwitch, peer: PeerId) {
    this.#switch = home;
    this.localPeer = peer;
  }

  addresses(): readonly string[] {
    return [memoryAddress(this.localPeer)];
  }

  learn(): void {}

  async dial(address: string, signal: AbortSignal): Promise<PeerId> {
    signal.throwIfAborted();
    const peer = address.split('/p2p/')[1];
    if (peer === undefined) throw badAddress(address);
    if (peer !== this.localPeer) this.#switch.connect(this.localPeer, peer);
    return peer;
  }

  isConnected(peer: PeerId): boolean {
    return this.#switch.isConnected(this.localPeer, peer);
  }

  connectedPeers(): readonly PeerId[] {
    return this.#switch.neighbours(this.localPeer);
  }

  paths(): readonly PeerPath[] {
    return this.connectedPeers().map((peer) => ({ peer, path: 'direct', isOpen: true, relayedBytes: 0 }));
  }

  sign(bytes: Uint8Array): Uint8Array {
    return unprovenSignature(this.localPeer, bytes);
  }

  verify(peer: PeerId, bytes: Uint8Array, signature: Uint8Array): boolean {
    return isUnprovenSignature(peer, bytes, signature);
  }

  async connect(peer: PeerId, trafficClass: TrafficClass): Promise<FrameStream> {
    return this.#switch.openStream(this.localPeer, peer, trafficClass);
  }

  async start(listener: TransportListener): Promise<void> {
    this.#switch.attach(this.localPeer, listener);
  }

  async stop(): Promise<void> {
    this.#switch.kill(this.localPeer);
  }
}

/** The address of a peer on any switch. */
export function memoryAddress(peer: PeerId): string {
  return `/memory/${peer}/p2p/${peer}`;
}

function linkKey(a: PeerId, b: PeerId): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}
