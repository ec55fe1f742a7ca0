/** @module The one table from an error to the command's exit status. Statuses are stable: scripts rely on them. */
import { type ErrorKind, HoldfastError } from '../src/common/errors.ts';

export const EXIT = {
  ok: 0,
  /** Anything without a row of its own. */
  failed: 1,
  usage: 2,
  notFound: 3,
  /** Something is in the way: exists, not empty, another version, being written by somebody. */
  conflict: 4,
  /** The name or the kind of thing is wrong: not a directory, invalid name, bad argument. */
  invalid: 5,
  /** Not let in: token bad, expired, revoked or used up; no profile; another cluster. */
  denied: 6,
  /** Nothing happened; the same command may work later. */
  unavailable: 7,
  /** It may or may not have happened. */
  unknown: 8,
  /** This machine's node or data directory: running already, not writable, port in use. */
  node: 9,
  /** A checksum or an invariant failed. */
  broken: 10,
  /** Of several files some failed. */
  partial: 11,
  /** Ctrl-C or SIGTERM. */
  interrupted: 130,
  /** The reader of standard output went away, as with `| head`. */
  outputClosed: 141,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

const BY_CODE: Readonly<Record<string, ExitStatus>> = {
  CLI_USAGE: EXIT.usage,
  CLI_INTERRUPTED: EXIT.interrupted,
  CLI_OUTPUT_CLOSED: EXIT.outputClosed,
  CLI_PARTLY_FAILED: EXIT.partial,
  CLI_UNHEALTHY: EXIT.failed,
  CLI_LOCAL_NOT_FOUND: EXIT.notFound,
  CLI_LOCAL_FAILED: EXIT.failed,
  CLI_LOCAL_EXISTS: EXIT.conflict,
  NAMESPACE_NOT_FOUND: EXIT.notFound,
  NAMESPACE_NO_SUCH_MEMBER: EXIT.notFound,
  METADATA_NO_SUCH_TOKEN: EXIT.notFound,
  NAMESPACE_EXISTS: EXIT.conflict,
  NAMESPACE_NOT_EMPTY: EXIT.conflict,
  NAMESPACE_LAST_METADATA_NODE: EXIT.conflict,
  NAMESPACE_LEASE_HELD: EXIT.conflict,
  NAMESPACE_LEASE_EXPIRED: EXIT.conflict,
  NAMESPACE_VERSION_MISMATCH: EXIT.conflict,
  PROTOCOL_BAD_TOKEN: EXIT.denied,
  NAMESPACE_TOKEN_INVALID: EXIT.denied,
  NAMESPACE_TOKEN_EXPIRED: EXIT.denied,
  NAMESPACE_TOKEN_REVOKED: EXIT.denied,
  NAMESPACE_TOKEN_USED_UP: EXIT.denied,
  NAMESPACE_ROLE_NOT_ALLOWED: EXIT.denied,
  NAMESPACE_WRONG_CLUSTER: EXIT.denied,
  NAMESPACE_FEATURE_NOT_ACTIVE: EXIT.unavailable,
  NAMESPACE_FEATURE_LEVEL_TOO_LOW: EXIT.node,
  METADATA_NOT_ALLOWED: EXIT.denied,
  METADATA_LAST_METADATA_NODE: EXIT.conflict,
  METADATA_REMOVAL_UNSAFE: EXIT.conflict,
  METADATA_NOT_A_DATANODE: EXIT.invalid,
  METADATA_REMOVED: EXIT.node,
  METADATA_SUPERSEDED: EXIT.node,
  DATANODE_REMOVED: EXIT.node,
  DATANODE_SUPERSEDED: EXIT.node,
  NETWORK_NOT_A_MEMBER: EXIT.denied,
  NETWORK_PORT_IN_USE: EXIT.node,
  NETWORK_CANNOT_LISTEN: EXIT.node,
  NETWORK_BAD_IDENTITY: EXIT.node,
  CLIENT_NO_PROFILE: EXIT.denied,
  CLIENT_BAD_PROFILE: EXIT.denied,
  CLIENT_PROFILE_NOT_WRITABLE: EXIT.denied,
  CLIENT_OTHER_CLUSTER: EXIT.denied,
  NODE_INVALID_ADDRESS: EXIT.invalid,
  NODE_JOIN_UNREACHABLE: EXIT.unavailable,
  NODE_QUORUM_NOT_LOST: EXIT.conflict,
  NODE_BETTER_SURVIVOR: EXIT.conflict,
  NODE_RECOVERED_ELSEWHERE: EXIT.conflict,
  NODE_CLUSTER_ANSWERS: EXIT.conflict,
  NODE_STILL_HAS_LOG: EXIT.conflict,
  NAMESPACE_RECOVERY_OPEN: EXIT.conflict,
  NAMESPACE_RECOVERY_NOT_OPEN: EXIT.conflict,
};

/** This machine's node and its directory; whatever has no row above. */
const NODE_PREFIX = 'NODE_';

const BY_KIND: Readonly<Record<ErrorKind, ExitStatus>> = {
  refused: EXIT.invalid,
  unavailable: EXIT.unavailable,
  unknown: EXIT.unknown,
  broken: EXIT.broken,
};

export function exitStatusOf(error: unknown): ExitStatus {
  if (!(error instanceof HoldfastError)) return EXIT.failed;
  const rest = error.code.startsWith(NODE_PREFIX) ? EXIT.node : BY_KIND[error.kind];
  return BY_CODE[error.code] ?? rest;
}
