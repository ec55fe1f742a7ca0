/** @module What the location index asks of the rest of the house. Structural: src/common and src/network fit as they are. */
import type {
  AnnounceRequest,
  AnnounceResponse,
  IndexStatusResponse,
  LookupRequest,
  LookupResponse,
} from './messages.ts';

/** A libp2p peer id in its base58 text form. */
export type PeerId = string;

/** A SHA-256 in lower-case hex: 64 characters. */
export type BlockHash = string;

export interface Timer {
  cancel(): void;
}

/** Time, owned by whoever composes the process. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary origin. */
  monotonicMs(): number;
  /** Runs `callback` once, not before `delayMs`. */
  after(delayMs: number, callback: () => void): Timer;
}

export interface Logger {
  debug(event: string, fields?: Readonly<Record<string, unknown>>): void;
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** The three questions a holder of shards answers. `signal` is the caller's deadline; calls to the local peer are allowed. */
export interface LocationRpc {
  announce(peer: PeerId, request: AnnounceRequest, signal: AbortSignal): Promise<AnnounceResponse>;
  lookup(peer: PeerId, request: LookupRequest, signal: AbortSignal): Promise<LookupResponse>;
  status(peer: PeerId, signal: AbortSignal): Promise<IndexStatusResponse>;
}

/** The metadata nodes as points in Kademlia space. Everybody must compute the same order from the same members. */
export interface MetadataRing {
  /** The local peer when it holds shards itself. */
  readonly self?: PeerId | undefined;
  /** At most `count` members, nearest first by XOR between the shard's and the peers' Kademlia ids. */
  closest(shard: number, count: number): readonly PeerId[];
  /** Every member known, in no particular order. */
  all(): readonly PeerId[];
}
