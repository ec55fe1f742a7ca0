/** @module What the location index asks of other folders. Structural: src/common and src/network fit as they are. */
import type {
  AnnounceRequest,
  AnnounceResponse,
  CompareRequest,
  CompareResponse,
  HoldingsRequest,
  HoldingsResponse,
  IndexStatusResponse,
  LookupRequest,
  LookupResponse,
  PullRequest,
  PullResponse,
  RingHint,
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

/** What a holder of shards answers to anybody in the cluster. `signal` is the caller's deadline; calls to the local peer are allowed. */
export interface LookupRpc {
  lookup(peer: PeerId, request: LookupRequest, signal: AbortSignal): Promise<LookupResponse>;
}

/** What it answers to datanodes. */
export interface AnnounceRpc {
  announce(peer: PeerId, request: AnnounceRequest, signal: AbortSignal): Promise<AnnounceResponse>;
  compare(peer: PeerId, request: CompareRequest, signal: AbortSignal): Promise<CompareResponse>;
}

/** What it answers to other holders. */
export interface HandoverRpc {
  holdings(peer: PeerId, request: HoldingsRequest, signal: AbortSignal): Promise<HoldingsResponse>;
  pull(peer: PeerId, request: PullRequest, signal: AbortSignal): Promise<PullResponse>;
}

export interface StatusRpc {
  status(peer: PeerId, signal: AbortSignal): Promise<IndexStatusResponse>;
}

export type LocationRpc = LookupRpc & AnnounceRpc & HandoverRpc & StatusRpc;

/** The metadata nodes as points in Kademlia space. Everybody must compute the same order from the same members. */
export interface MetadataRing {
  /** The local peer when it holds shards itself. */
  readonly self?: PeerId | undefined;
  /** Grows with each change of the membership; 0 while nothing is known but whom to ask first. */
  readonly epoch: number;
  /** The members have been the same since this epoch, as far as is known here. */
  readonly membersSince: number;
  /** At most `count` members, nearest first by XOR between the shard's and the peers' Kademlia ids. */
  closest(shard: number, count: number): readonly PeerId[];
  /** Every member known, in no particular order; another list after each change of them, and the same one until then. */
  all(): readonly PeerId[];
  /** Takes the word of a holder that knows a newer membership. */
  learn(hint: RingHint | undefined): void;
}

/** The datanodes themselves, asked while the index does not know yet. */
export interface DatanodeInquiry {
  /** Member numbers of those that say they hold a hash, for each hash with any. Rejects with the signal's reason only. */
  holders(
    hashes: readonly BlockHash[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<BlockHash, readonly number[]>>;
}

/** Signatures by the keys that peer ids are made of. */
export interface Signatures {
  readonly localPeer: PeerId;
  sign(bytes: Uint8Array): Uint8Array;
  /** Whether `peer` made `signature` over `bytes`. */
  verify(peer: PeerId, bytes: Uint8Array, signature: Uint8Array): boolean;
}

/** The blocks of a datanode. */
export interface HeldBlocks {
  /** Every block held durably whose hash begins with the hex digits `prefix`, as of now. */
  below(prefix: string): readonly BlockHash[];
  /** Of those below the prefix of a shard, as of now: how many, and their 32 bytes combined by exclusive or. Asked often. */
  combined(prefix: string): { readonly count: number; readonly hash: Uint8Array };
}

/** Bytes of one page on disk, and those at its end that the store keeps its checksum in. */
export const PAGE_SIZE_BYTES = 4096;
export const PAGE_TRAILER_BYTES = 4;

/** Pages that were written together; each run is another object. */
export interface PageRun {
  readonly pages: number;
}

/**
 * Pages on disk that need not outlive the process. What it gives is what was written, every byte checked; anything else is
 * an error.
 */
export interface PageStore {
  /** Disk taken by the runs that are there, in bytes. */
  readonly usedBytes: number;
  /** Whole pages; the last PAGE_TRAILER_BYTES of each are overwritten. Rejects when there is no room, or the disk fails: then nothing is kept. */
  write(pages: Uint8Array): Promise<PageRun>;
  /** `count` pages of a run from `first` on. */
  read(run: PageRun, first: number, count: number): Promise<Uint8Array>;
  /** Single pages of many runs, in their order; in the place of one that cannot be had, why. */
  readEach(pages: readonly PagePlace[]): Promise<readonly (Uint8Array | Error)[]>;
  /** Its pages may be overwritten: reads that are under way fail. */
  free(run: PageRun): void;
}

export interface PagePlace {
  readonly run: PageRun;
  readonly page: number;
}
