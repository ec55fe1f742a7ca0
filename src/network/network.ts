/** @module What other folders know of the network. The real one is libp2p; a simulator brings its own. */
import type { Left } from '../common/bytes.ts';

/** A libp2p peer id in its base58 text form: the hash of the Ed25519 key that Noise authenticated. */
export type PeerId = string;

/** Each class has its own long-lived stream per peer, so that bulk never delays a heartbeat. `join` is open to strangers. */
export type TrafficClass = 'raft' | 'control' | 'bulk' | 'join';

/**
 * How a peer is reached: we dialled, it did, both did at once through their routers, or a metadata node passes everything on;
 * or we came back with a ticket, and nothing watches over the connection yet; or a stream shares the libp2p connection, since one
 * of its own did not come about.
 */
export type PathKind = 'local' | 'direct' | 'reversed' | 'punched' | 'relayed' | 'resumed' | 'shared';

/** The way to one peer. */
export interface PeerPath {
  readonly peer: PeerId;
  readonly path: PathKind;
  /** False: the connection is gone, and the way is that of the bulk that went over it. */
  readonly isOpen: boolean;
  /** Bytes of bulk that were sent and received over a relay since the start. */
  readonly relayedBytes: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Deadline in milliseconds from now; DEFAULT_CALL_TIMEOUT_MS when absent. Travels with the request. */
  readonly timeoutMs?: number;
  /**
   * For a connection to be there, in milliseconds from now, where there is somebody else to ask: then NETWORK_UNREACHABLE, while the
   * dial goes on for whoever comes next. As long as timeoutMs when absent.
   */
  readonly connectTimeoutMs?: number;
}

/** One request as its handler sees it. `signal` fires just before the deadline, on cancellation, and when the peer goes away. */
export interface IncomingRequest {
  readonly peer: PeerId;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

/** Returns the response body. A thrown HoldfastError reaches the caller with code, kind and facts; any other as NETWORK_REMOTE_FAILED. */
export type RequestHandler = (request: IncomingRequest) => Promise<Uint8Array>;
export type NoticeHandler = (peer: PeerId, body: Uint8Array) => void;
export type ChannelHandler = (channel: IncomingChannel) => Promise<void>;

/**
 * A bidirectional byte channel with credit-based back-pressure, many of them over one bulk stream per peer.
 * Reading: iterate; each chunk taken returns its credit. Chunk sizes are not preserved. Errors surface in write() and iteration.
 */
export interface Channel extends AsyncIterable<Uint8Array> {
  readonly peer: PeerId;
  /** Resolves when the peer's credit admits more. The bytes must not be changed before `left`, or before the peer has answered all of them. */
  write(bytes: Uint8Array, left?: Left): Promise<void>;
  /** Half-close: the peer's iteration ends after everything written. */
  end(): Promise<void>;
  /** Ends both directions now; the peer sees `error` (or NETWORK_ABORTED). Never throws; later calls do nothing. */
  abort(error?: Error): void;
}

export interface IncomingChannel extends Channel {
  readonly header: Uint8Array;
  readonly signal: AbortSignal;
}

export interface PeerEvents {
  connected?(peer: PeerId): void;
  disconnected?(peer: PeerId): void;
  /** What addresses(), or isReachable, says has changed: a router, a relay, an interface of this machine. */
  addressesChanged?(): void;
}

/**
 * Decides whether an authenticated peer may speak `trafficClass` here; never asked for `join`. May reject with an error of
 * kind unavailable when that cannot be told now: the peer hears that error instead of NETWORK_NOT_A_MEMBER.
 */
export type Authorizer = (peer: PeerId, trafficClass: TrafficClass) => boolean | Promise<boolean>;

/**
 * Errors by code: NETWORK_UNREACHABLE (unavailable: never sent), NETWORK_TIMEOUT and NETWORK_DISCONNECTED (unknown: maybe
 * executed), NETWORK_OVERLOADED (unavailable: a bounded queue is full), NETWORK_ABORTED, NETWORK_NOT_A_MEMBER (refused),
 * NETWORK_NO_SUCH_METHOD, NETWORK_UNREADABLE and NETWORK_TOO_LARGE (refused), plus whatever the remote handler threw.
 */
export interface Network {
  readonly localPeer: PeerId;
  /** Addresses others can dial, as multiaddrs that end in /p2p/<localPeer>. Empty before start(). */
  addresses(): readonly string[];
  /** Whether others find a way to those, as far as that is known by now. */
  readonly isReachable: boolean;
  /** Adds to the address book; later calls to that peer may use them. */
  learn(peer: PeerId, addresses: readonly string[]): void;
  /** Peers heard of in the local network, whoever they are: anybody may say anything there. Absent where nobody listens. */
  neighbours?(): readonly PeerId[];
  /** Connects to a full multiaddr (/…/p2p/<peer>) and says who answered. */
  dial(address: string, options?: CallOptions): Promise<PeerId>;
  isConnected(peer: PeerId): boolean;
  connectedPeers(): readonly PeerId[];
  /** Each connected peer once, with the best way to it, and each that bulk was exchanged with over a relay. */
  paths(): readonly PeerPath[];
  /** Signs with the key of the local peer's id. What is signed should begin with what it is for. */
  sign(bytes: Uint8Array): Uint8Array;
  /** Whether `peer` made `signature` over `bytes`, wherever they came from. */
  verify(peer: PeerId, bytes: Uint8Array, signature: Uint8Array): boolean;
  /** Calls to the local peer are answered in process. */
  request(
    peer: PeerId,
    trafficClass: TrafficClass,
    method: string,
    body: Uint8Array,
    options?: CallOptions,
  ): Promise<Uint8Array>;
  /** Fire and forget: false when it could not be queued. Order per (peer, class) is kept; delivery is not promised. */
  notify(peer: PeerId, trafficClass: TrafficClass, method: string, body: Uint8Array): boolean;
  /** Opens a bulk channel; `header` reaches the handler before any byte. */
  open(peer: PeerId, method: string, header: Uint8Array, options?: CallOptions): Promise<Channel>;
  onRequest(trafficClass: TrafficClass, method: string, handler: RequestHandler): void;
  onNotice(trafficClass: TrafficClass, method: string, handler: NoticeHandler): void;
  onChannel(method: string, handler: ChannelHandler): void;
  onPeer(events: PeerEvents): void;
  /** Replaces the rule; refuses every class but `join` until it is set. */
  authorize(rule: Authorizer): void;
  start(): Promise<void>;
  /** Drains what was queued for at most a second, then closes everything. */
  stop(): Promise<void>;
}

export const DEFAULT_CALL_TIMEOUT_MS = 10_000;
