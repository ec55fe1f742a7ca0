/** @module Every error the client itself raises; those of metadata nodes and datanodes pass through unchanged. */
import { describeError, type ErrorKind, HoldfastError } from '../common/errors.ts';

export function noProfile(profileDir: string): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_NO_PROFILE',
    kind: 'refused',
    message: `There is no client profile in ${profileDir}. Type \`holdfast connect TOKEN\` with a client token, or name another profile directory.`,
    facts: { profileDir },
  });
}

export function badProfile(file: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_BAD_PROFILE',
    kind: 'broken',
    message: `The client profile ${file} cannot be read: ${describeError(cause)}. Put it right, or remove its directory and connect again with a token.`,
    facts: { file },
    cause,
  });
}

export function profileNotWritable(profileDir: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_PROFILE_NOT_WRITABLE',
    kind: 'refused',
    message: `Cannot write the client profile in ${profileDir}: ${describeError(cause)}. Check its owner and mode and the disk, or name another directory with --profile (HOLDFAST_PROFILE).`,
    facts: { profileDir },
    cause,
  });
}

export function otherCluster(
  profileDir: string,
  profileCluster: string,
  tokenCluster: string,
): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_OTHER_CLUSTER',
    kind: 'refused',
    message: `The profile in ${profileDir} belongs to cluster ${profileCluster}, the token to cluster ${tokenCluster}. Choose another profile directory for the second cluster.`,
    facts: { profileDir, profileCluster, tokenCluster },
  });
}

/** A metadata node that neither answered nor gave a sign of life; the request may have been executed. */
export function peerSilent(peer: string, silentMs: number): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_PEER_SILENT',
    kind: 'unknown',
    message: `The metadata node ${peer} gave no sign of life for ${silentMs} ms; another one is asked.`,
    facts: { peer, silentMs },
  });
}

/** No address in a token, or no metadata node of a profile, gave a usable answer before the deadline. */
export function noMetadata(
  operation: string,
  kind: ErrorKind,
  tried: readonly string[],
  cause: unknown,
): HoldfastError {
  const effect =
    kind === 'unknown'
      ? 'It may or may not have been done: look before you repeat it.'
      : 'Nothing was changed. See on a machine of the cluster, with `holdfast cluster status`, whether metadata nodes run. If all that are known here were replaced, `holdfast connect TOKEN` with a new token (`holdfast cluster token create --role client`) tells where the others are.';
  return new HoldfastError({
    code: kind === 'unknown' ? 'CLIENT_OUTCOME_UNKNOWN' : 'CLIENT_NO_METADATA',
    kind,
    message: `No metadata node answered ${operation} in time (tried ${tried.length}: ${tried.join(', ') || 'none known'}; last: ${describeError(cause)}). ${effect}`,
    facts: { operation, tried },
    cause,
  });
}

/** CLIENT_OUTCOME_UNKNOWN: `cause` is sure that the last attempt did nothing, and knows nothing of those before. */
export function attemptUnknown(operation: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_OUTCOME_UNKNOWN',
    kind: 'unknown',
    message: `An attempt at ${operation} had no answer, and the last one failed (${describeError(cause)}). It may or may not have been done: look before you repeat it.`,
    facts: { operation },
    cause,
  });
}

export function sessionExpired(operation: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_SESSION_EXPIRED',
    kind: 'unknown',
    message: `The session expired while ${operation} was being repeated, so it may or may not have been done. Look before you repeat it.`,
    facts: { operation },
    cause,
  });
}

export function unexpectedAnswer(operation: string, got: string): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_UNEXPECTED_ANSWER',
    kind: 'broken',
    message: `A metadata node answered ${operation} with ${got}, which is no answer to it. Do all nodes run the same version?`,
    facts: { operation, got },
  });
}

export function notEnoughDatanodes(wanted: number, usable: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NOT_ENOUGH_DATANODES',
    kind: 'unavailable',
    message: `A block needs at least ${wanted} datanodes with room, and ${usable} can take it now. Start more datanodes or free some space, then try again.`,
    facts: { wanted, usable },
  });
}

/** Not seen by callers: the block goes another way. */
export function chainSilent(nodes: readonly number[]): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_CHAIN_SILENT',
    kind: 'unavailable',
    message: `Datanodes ${nodes.join(', ')} fell silent in the middle of a block. It is written to others.`,
    facts: { nodes: nodes.map(String) },
  });
}

export function writeFailed(
  hash: string,
  wanted: number,
  got: number,
  failures: readonly string[],
): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_WRITE_FAILED',
    kind: 'unavailable',
    message: `Block ${hash} reached ${got} datanodes and needs ${wanted}: ${failures.join('; ') || 'no datanode could be tried'}. The file was not stored; try again.`,
    facts: { hash, wanted, got, failures },
  });
}

export function blockUnavailable(hash: string, path: string, failures: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_BLOCK_UNAVAILABLE',
    kind: 'unavailable',
    message: `No datanode gave a good copy of block ${hash} of ${path}: ${failures.join('; ') || 'no holder is known'}. Start the missing datanodes (see \`holdfast locate\`), then try again.`,
    facts: { hash, path, failures },
  });
}

export function badCopy(hash: string, node: number): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_BAD_COPY',
    kind: 'broken',
    message: `Datanode ${node} sent bytes that are not block ${hash}. The copy was reported; another one is read instead.`,
    facts: { hash, node },
  });
}

export function fileChanged(path: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_FILE_CHANGED',
    kind: 'unavailable',
    message: `${path} was replaced or removed while it was being read. Read it again from the start.`,
    facts: { path },
    cause,
  });
}

export function invalidArgument(name: string, value: string | number, wanted: string): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_INVALID_ARGUMENT',
    kind: 'refused',
    message: `${name} is ${value}; it must be ${wanted}.`,
    facts: { name, value },
  });
}

export function closed(): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_CLOSED',
    kind: 'refused',
    message: 'This client was closed. Connect again.',
  });
}

export function closedInFlight(operation: string): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_CLOSED',
    kind: 'unknown',
    message: `This client was closed during ${operation}, so it may or may not have been done. Connect again and look.`,
    facts: { operation },
  });
}

export function readStalled(node: number, afterMs: number): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_READ_STALLED',
    kind: 'unavailable',
    message: `Datanode ${node} sent nothing for ${afterMs} ms in the middle of a block. Another copy is read instead.`,
    facts: { node, afterMs },
  });
}

/** Not seen by callers: another datanode was faster. */
export function overtaken(): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_OVERTAKEN',
    kind: 'unavailable',
    message: 'Another datanode sent these bytes first.',
    facts: {},
  });
}

export function wrongLength(hash: string, node: number, wanted: number, got: number): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_BAD_COPY',
    kind: 'broken',
    message: `Datanode ${node} sent ${got} bytes of block ${hash} where ${wanted} were asked for. The copy was reported; another one is read instead.`,
    facts: { hash, node, wanted, got },
  });
}

/** Files are read all the same. */
export function cacheUnusable(directory: string, pauseMs: number, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_CACHE_UNUSABLE',
    kind: 'unavailable',
    message: `The cache in ${directory} cannot be used: ${describeError(cause)}. Files are read without it, and it is tried again after ${pauseMs} ms. Make room there, or name another directory.`,
    facts: { directory },
    cause,
  });
}

/** Only logged: the caller has given up already. */
export function tooManyWaiting(what: string, limit: number): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_OVERLOADED',
    kind: 'unavailable',
    message: `${limit} ${what} of this client wait already; nothing was done. Begin fewer at once, or try again later.`,
    facts: { what, limit },
  });
}

export function grantTooLate(afterMs: number): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_GRANT_TOO_LATE',
    kind: 'unknown',
    message: `The lease of a file that was given up did not come within ${afterMs} ms; if it comes, it expires by itself.`,
    facts: { afterMs },
  });
}

/** The write took so long that its blocks were collected, or their datanodes could not be asked to keep them. */
export function notRetained(blocks: number, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_NOT_RETAINED',
    kind: 'unavailable',
    message: `The write took so long that ${blocks} of its blocks may have been collected, and too few of their datanodes answer that they still have them. The file was not stored; put it again.`,
    facts: { blocks },
    cause,
  });
}

export function backupNotMade(reason: string): HoldfastError {
  return new HoldfastError({
    code: 'CLIENT_BACKUP_NOT_MADE',
    kind: 'unavailable',
    message: `No backup of the namespace was made: ${reason}. See "holdfast worker list" and the log of the leader.`,
    facts: { reason },
  });
}

/** Of a plan that would be another if all of the datanodes and backups could be read. */
export function recoveryIncomplete(silent: readonly string[], backups: readonly string[]): HoldfastError {
  const wanting = [
    ...(silent.length > 0 ? [`not everything was learned from ${silent.join(', ')}`] : []),
    ...(backups.length > 0 ? [`a newer backup cannot be read (${backups.join(', ')})`] : []),
  ];
  return new HoldfastError({
    code: 'CLIENT_RECOVERY_INCOMPLETE',
    kind: 'unavailable',
    message: `Nothing was restored: ${wanting.join(', and ')}. Bring the missing datanodes over ("holdfast node rejoin") and run it again; what is gone for good is left out with --even-incomplete.`,
    facts: { silent, backups },
  });
}
