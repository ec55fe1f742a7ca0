/** @module The vocabulary of the core: entries, states, messages, and what one Ready asks of the shell. */

/** A raft node's number, 1 or above, never reused within a cluster. 0 means "none". */
export type NodeId = number;
/** Raft §5.1 term, a safe integer; 0 before the first election. */
export type Term = number;
/** Position in the log, a safe integer; the first entry has index 1. */
export type Index = number;

export const NO_NODE: NodeId = 0;

export type StateType = 'StateFollower' | 'StatePreCandidate' | 'StateCandidate' | 'StateLeader';
export type EntryType = 'EntryNormal' | 'EntryConfChange' | 'EntryConfChangeV2';

export interface Entry {
  readonly term: Term;
  readonly index: Index;
  readonly type: EntryType;
  readonly data: Uint8Array;
}

/** What must be durable before any message of the same Ready leaves (Raft §5.2, figure 2 "persistent state"). */
export interface HardState {
  readonly term: Term;
  readonly vote: NodeId;
  readonly commit: Index;
}

/** Volatile, for information only. */
export interface SoftState {
  readonly lead: NodeId;
  readonly raftState: StateType;
}

export interface ConfState {
  readonly voters: readonly NodeId[];
  readonly votersOutgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  readonly learnersNext: readonly NodeId[];
  readonly autoLeave: boolean;
}

export type ConfChangeType =
  | 'ConfChangeAddNode'
  | 'ConfChangeRemoveNode'
  | 'ConfChangeUpdateNode'
  | 'ConfChangeAddLearnerNode';
export type ConfChangeTransition =
  | 'ConfChangeTransitionAuto'
  | 'ConfChangeTransitionJointImplicit'
  | 'ConfChangeTransitionJointExplicit';

export interface ConfChangeSingle {
  readonly type: ConfChangeType;
  readonly nodeId: NodeId;
}

/** One membership change of one or several steps; an empty list of changes leaves a joint configuration. */
export interface ConfChange {
  readonly transition: ConfChangeTransition;
  readonly changes: readonly ConfChangeSingle[];
  readonly context: Uint8Array;
}

export interface SnapshotMetadata {
  readonly index: Index;
  readonly term: Term;
  readonly confState: ConfState;
}

/** `data` is a small handle; the state itself is streamed out of band by the shell. */
export interface Snapshot {
  readonly metadata: SnapshotMetadata;
  readonly data: Uint8Array;
}

export type MessageType =
  | 'MsgHup'
  | 'MsgBeat'
  | 'MsgProp'
  | 'MsgApp'
  | 'MsgAppResp'
  | 'MsgVote'
  | 'MsgVoteResp'
  | 'MsgSnap'
  | 'MsgHeartbeat'
  | 'MsgHeartbeatResp'
  | 'MsgUnreachable'
  | 'MsgSnapStatus'
  | 'MsgCheckQuorum'
  | 'MsgTransferLeader'
  | 'MsgTimeoutNow'
  | 'MsgReadIndex'
  | 'MsgReadIndexResp'
  | 'MsgPreVote'
  | 'MsgPreVoteResp'
  | 'MsgStorageAppend'
  | 'MsgStorageAppendResp'
  | 'MsgStorageApply'
  | 'MsgStorageApplyResp'
  | 'MsgForgetLeader';

export interface Message {
  readonly type: MessageType;
  readonly to: NodeId;
  readonly from: NodeId;
  readonly term: Term;
  readonly logTerm: Term;
  readonly index: Index;
  readonly entries: readonly Entry[];
  readonly commit: Index;
  readonly vote?: NodeId;
  readonly snapshot?: Snapshot;
  readonly reject?: boolean;
  readonly rejectHint?: Index;
  readonly context?: Uint8Array;
  readonly responses?: readonly Message[];
}

/** Answer to `readIndex(ctx)`: reads may be served once applied >= index (Raft §6.4 of the thesis). */
export interface ReadState {
  readonly index: Index;
  readonly requestCtx: Uint8Array;
}

/**
 * What the shell owes the core, in this order: (1) persist `snapshot`, then `entries` and `hardState` in one durable
 * write (fsync when `mustSync`); (2) send `messages`: a leader's MsgApp/MsgHeartbeat/MsgSnap may leave in parallel with
 * (1), everything else only after it; (3) apply `snapshot`, then `committedEntries`; (4) `advance()`.
 *
 * With asyncStorageWrites the work is in `messages` alone: MsgStorageAppend and MsgStorageApply, see README.md.
 */
export interface Ready {
  readonly softState?: SoftState;
  readonly hardState?: HardState;
  readonly readStates: readonly ReadState[];
  readonly entries: readonly Entry[];
  readonly snapshot?: Snapshot;
  readonly committedEntries: readonly Entry[];
  readonly messages: readonly Message[];
  readonly mustSync: boolean;
}

/**
 * The core's read-only view of what is durable. Ranges are [lo, hi). Synchronous.
 * Throws RaftError with code RAFT_COMPACTED, RAFT_UNAVAILABLE or RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE.
 */
export interface Storage {
  initialState(): { readonly hardState: HardState; readonly confState: ConfState };
  /** At least one entry when there is one, else as many as fit into `maxSizeBytes` of data. */
  entries(lo: Index, hi: Index, maxSizeBytes: number): Entry[];
  /** Term of entry `i`; firstIndex()-1 is answered too (the snapshot's term). */
  term(i: Index): Term;
  firstIndex(): Index;
  lastIndex(): Index;
  snapshot(): Snapshot;
}

export interface RaftLogger {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

export interface Config {
  readonly id: NodeId;
  /** Ticks without a leader before an election; the real time-out is drawn from [electionTick, 2*electionTick). */
  readonly electionTick: number;
  readonly heartbeatTick: number;
  readonly storage: Storage;
  /** Last index the shell has applied; 0 for a fresh node. */
  readonly applied?: Index;
  /** The shell writes and applies while the core goes on; see README.md, "The order a shell must keep". */
  readonly asyncStorageWrites?: boolean;
  readonly maxSizePerMsgBytes: number;
  readonly maxCommittedSizePerReadyBytes: number;
  /** Proposals beyond this many uncommitted bytes are refused with RAFT_PROPOSAL_DROPPED; 0 = no bound. */
  readonly maxUncommittedSizeBytes: number;
  readonly maxInflightMsgs: number;
  readonly maxInflightBytes: number;
  readonly checkQuorum: boolean;
  readonly preVote: boolean;
  readonly readOnlyOption: 'ReadOnlySafe' | 'ReadOnlyLeaseBased';
  readonly disableProposalForwarding: boolean;
  /** A leader that is removed or demoted steps down when that is applied, rather than when a new leader speaks. */
  readonly stepDownOnRemoval: boolean;
  /** For a shell that orders membership changes itself: a change that looks wrong now is appended all the same. */
  readonly disableConfChangeValidation?: boolean;
  /** Uniform integer in [0, n). */
  readonly rand: (n: number) => number;
  readonly logger: RaftLogger;
}
