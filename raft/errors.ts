/** @module Every failure of the core, as one class with a stable code. */

/**
 * - `RAFT_COMPACTED`, `RAFT_UNAVAILABLE`: the log no longer / not yet holds the index asked for.
 * - `RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE`: a Storage has no snapshot to give right now; the core asks again later.
 * - `RAFT_SNAPSHOT_OUT_OF_DATE`: a snapshot older than the one already stored.
 * - `RAFT_PROPOSAL_DROPPED`: the proposal was surely not appended; see `reason`. Try again later or at `lead`.
 * - `RAFT_STEP_LOCAL_MESSAGE`, `RAFT_STEP_PEER_NOT_FOUND`: a message off the network that must be ignored.
 * - `RAFT_CONF_CHANGE_INVALID`: a membership change that cannot follow the present configuration.
 * - `RAFT_BAD_ENCODING`: bytes that are not an encoded ConfChange.
 * - `RAFT_INVALID_CONFIG`: the node cannot be built from this Config and Storage.
 * - `RAFT_INVARIANT`: a promise of the algorithm or of the shell is broken. The node must stop.
 */
export type RaftErrorCode =
  | 'RAFT_COMPACTED'
  | 'RAFT_UNAVAILABLE'
  | 'RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE'
  | 'RAFT_SNAPSHOT_OUT_OF_DATE'
  | 'RAFT_PROPOSAL_DROPPED'
  | 'RAFT_STEP_LOCAL_MESSAGE'
  | 'RAFT_STEP_PEER_NOT_FOUND'
  | 'RAFT_CONF_CHANGE_INVALID'
  | 'RAFT_BAD_ENCODING'
  | 'RAFT_INVALID_CONFIG'
  | 'RAFT_INVARIANT';

/** Why a proposal was dropped. In every case nothing was appended. */
export type DropReason =
  | 'no-leader'
  | 'forwarding-disabled'
  | 'leader-removed'
  | 'transfer-in-progress'
  | 'too-much-uncommitted';

/** The one error class of the core. Callers switch on `code` (and `reason` of a dropped proposal). */
export class RaftError extends Error {
  readonly code: RaftErrorCode;
  /** Set when `code` is RAFT_PROPOSAL_DROPPED. */
  readonly reason?: DropReason;

  constructor(code: RaftErrorCode, message: string, reason?: DropReason) {
    super(message);
    this.name = 'RaftError';
    this.code = code;
    if (reason !== undefined) this.reason = reason;
  }
}

/** True for a RaftError that carries one of `codes` (any RaftError when none is named). */
export function isRaftError(error: unknown, ...codes: readonly RaftErrorCode[]): error is RaftError {
  return error instanceof RaftError && (codes.length === 0 || codes.includes(error.code));
}

/** The proposal was not appended; the reason says what to wait for. */
export function proposalDropped(reason: DropReason, message: string): RaftError {
  return new RaftError('RAFT_PROPOSAL_DROPPED', message, reason);
}

/** A broken invariant is a bug, of the core or of its shell: stop rather than guess. Stays on in production. */
export function invariant(condition: boolean, claim: () => string): asserts condition {
  if (!condition) throw new RaftError('RAFT_INVARIANT', `Raft invariant broken: ${claim()}`);
}
