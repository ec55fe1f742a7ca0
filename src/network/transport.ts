/** @module What the protocol needs from below: framed streams between authenticated peers. Libp2p and memory bring one each. */
import type { Left } from '../common/bytes.ts';
import type { FrameKind, FrameListener } from './frame.ts';
import type { PathKind, PeerId, PeerPath, TrafficClass } from './network.ts';

export interface FrameStreamListener {
  readonly frame: FrameListener;
  /** Called once, when neither side can send any more. */
  closed(cause: unknown): void;
}

/** One ordered, reliable stream of frames. Frames that came before listen() are kept for it. */
export interface FrameStream {
  /** The way it takes. */
  readonly path: PathKind;
  /** False while enough is queued that a sender of bulk should use onceWritable(), or once closed. */
  readonly writable: boolean;
  /** True while so much is queued that new requests must be refused, or not read. */
  readonly overfull: boolean;
  /** What was sent and has not left yet. */
  readonly queuedBytes: number;
  listen(listener: FrameStreamListener): void;
  /** Queues `head` and `body` as one frame's body. False only when the stream is closed. `left`: of the body. */
  send(
    kind: FrameKind,
    id: number,
    argument: number,
    head: Uint8Array,
    body: Uint8Array,
    left?: Left,
  ): boolean;
  /** Calls back once when writable, first come first served, one sender at a time; never after close. */
  onceWritable(callback: () => void): void;
  /** Stops frames from coming, after those already under way; they wait in bounded buffers. */
  pause(): void;
  resume(): void;
  /** Largest body accepted from now on. */
  limitBody(limitBytes: number): void;
  /** Closes both directions now. */
  abort(cause: Error): void;
  /** Sends what is queued, then closes. */
  close(signal: AbortSignal): Promise<void>;
}

export interface TransportListener {
  /** A peer opened a stream to us. */
  stream(peer: PeerId, trafficClass: TrafficClass, stream: FrameStream): void;
  connected(peer: PeerId): void;
  disconnected(peer: PeerId): void;
  /** There may be a better way to `peer` than the one in use. */
  improved(peer: PeerId): void;
  /** addresses(), or isReachable, says something else than before. */
  addressesChanged(): void;
  /** Whether `peer` may speak a protocol of another component, such as the DHT's. */
  admits(peer: PeerId): Promise<boolean>;
}

export interface Transport {
  readonly localPeer: PeerId;
  addresses(): readonly string[];
  /** Network.isReachable; absent: always. */
  readonly isReachable?: boolean;
  learn(peer: PeerId, addresses: readonly string[]): void;
  /** NETWORK_UNREACHABLE, NETWORK_BAD_ADDRESS. */
  dial(address: string, signal: AbortSignal): Promise<PeerId>;
  isConnected(peer: PeerId): boolean;
  connectedPeers(): readonly PeerId[];
  paths(): readonly PeerPath[];
  sign(bytes: Uint8Array): Uint8Array;
  verify(peer: PeerId, bytes: Uint8Array, signature: Uint8Array): boolean;
  /** Opens a stream, dialling first where needed. NETWORK_UNREACHABLE. Never called with the local peer. */
  connect(peer: PeerId, trafficClass: TrafficClass, signal: AbortSignal): Promise<FrameStream>;
  /** NETWORK_PORT_IN_USE, NETWORK_CANNOT_LISTEN. */
  start(listener: TransportListener): Promise<void>;
  stop(): Promise<void>;
}
