/** @module Every refusal of the namespace. Inside a command it is thrown, and becomes `Result.refused`. */
import { type ErrorFacts, HoldfastError } from '../common/errors.ts';
import type { Refused } from './schema.ts';

function refusal(code: string, message: string, facts: ErrorFacts): HoldfastError {
  return new HoldfastError({ code: `NAMESPACE_${code}`, kind: 'refused', message, facts });
}

export function notFound(path: string): HoldfastError {
  return refusal('NOT_FOUND', `There is no ${path}. Check the path with ls.`, { path });
}

/** For content asked for by inode that has been replaced or removed since. */
export function contentGone(inode: number): HoldfastError {
  return refusal(
    'NOT_FOUND',
    `The file with inode ${inode} was removed or replaced meanwhile. Open its path anew.`,
    { inode },
  );
}

export function exists(path: string): HoldfastError {
  return refusal('EXISTS', `${path} exists already. Choose another name or remove it first.`, { path });
}

export function clusterExists(): HoldfastError {
  return refusal('EXISTS', 'This namespace was founded already; a cluster is founded once.', {});
}

export function noCluster(): HoldfastError {
  return refusal('NO_CLUSTER', 'This namespace was not founded yet. Run cluster init first.', {});
}

export function notADirectory(path: string): HoldfastError {
  return refusal('NOT_A_DIRECTORY', `${path} is not a directory.`, { path });
}

export function isADirectory(path: string): HoldfastError {
  return refusal('IS_A_DIRECTORY', `${path} is a directory; name a file, or a path inside it.`, { path });
}

export function notEmpty(path: string, childCount: number): HoldfastError {
  return refusal(
    'NOT_EMPTY',
    `${path} still has ${childCount} entries. Remove them first, or remove the whole tree.`,
    { path, childCount },
  );
}

export function invalidName(name: string, reason: string): HoldfastError {
  const shown = name.length > 300 ? `${name.slice(0, 300)}…` : name;
  return refusal('INVALID_NAME', `${JSON.stringify(shown)} cannot be used: ${reason}.`, {
    name: shown,
    reason,
  });
}

export function invalidArgument(message: string, facts: ErrorFacts = {}): HoldfastError {
  return refusal('INVALID_ARGUMENT', message, facts);
}

export function leaseHeld(inode: number, wanted: number, got: number): HoldfastError {
  return refusal('LEASE_HELD', `Inode ${inode} is written under another lease. Create the file anew.`, {
    inode,
    wanted,
    got,
  });
}

export function leaseExpired(inode: number): HoldfastError {
  return refusal(
    'LEASE_EXPIRED',
    `The lease to write inode ${inode} is over: it expired, or the file was closed or abandoned. Create the file anew.`,
    { inode },
  );
}

/** Somebody else appends to the file. */
export function appendLeaseHeld(path: string, expiresMs: number): HoldfastError {
  return refusal(
    'LEASE_HELD',
    `Somebody else is appending to ${path}, under a lease that runs until ${new Date(expiresMs).toISOString()} unless it is renewed. Try again when they are done.`,
    { path, expiresMs },
  );
}

export function versionMismatch(path: string, wanted: number, got: number): HoldfastError {
  return refusal(
    'VERSION_MISMATCH',
    `${path} is at version ${got}, not ${wanted}: somebody changed it. Read it again and decide anew.`,
    { path, wanted, got },
  );
}

export function intoItself(source: string, target: string): HoldfastError {
  return refusal('INTO_ITSELF', `${source} cannot be moved to ${target}, which lies inside it.`, {
    source,
    target,
  });
}

export function tooManyLinks(path: string, limit: number): HoldfastError {
  return refusal(
    'TOO_MANY_LINKS',
    `${path} leads through more than ${limit} symbolic links; two of them may lead to each other. Look at them with ls -l.`,
    { path, limit },
  );
}

export function tooDeep(path: string, depth: number, limit: number): HoldfastError {
  return refusal(
    'TOO_DEEP',
    `${path} would lie ${depth} levels deep, and ${limit} is the limit. Use fewer directories within each other.`,
    { path, depth, limit },
  );
}

/** The cluster's feature level does not allow the command yet. */
export function featureNotActive(command: string, needed: number, active: number): HoldfastError {
  return refusal(
    'FEATURE_NOT_ACTIVE',
    `${command} needs feature level ${needed}, and this cluster is at level ${active}: some metadata node still runs an older version. Upgrade all of them; the level then rises by itself.`,
    { command, needed, active },
  );
}

/** This node's version is too old for the cluster it belongs, or wants to belong, to. */
export function featureLevelTooLow(supported: number, active: number): HoldfastError {
  return refusal(
    'FEATURE_LEVEL_TOO_LOW',
    `This version supports feature level ${supported}, and the cluster is at level ${active}. Upgrade this node to a version that supports it.`,
    { supported, active },
  );
}

/** The datanodes may have thrown the blocks away: they had no reference for an era. `facts.era` is the one to write them in again. */
export function writtenTooLongAgo(hash: string, writtenEra: number, era: number): HoldfastError {
  return refusal(
    'WRITTEN_TOO_LONG_AGO',
    `Block ${hash} and those with it were written in era ${writtenEra}, and it is era ${era}: their datanodes may have collected them. Have them retained, or write them again.`,
    { hash, writtenEra, era },
  );
}

export function backupDamaged(what: string, position: number, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'NAMESPACE_BACKUP_DAMAGED',
    kind: 'broken',
    message: `The backup of the namespace is damaged: at byte ${position} there is ${what}. Use the one before.`,
    facts: { position },
    ...(cause !== undefined && { cause }),
  });
}

export function recoveryOpen(): HoldfastError {
  return refusal(
    'RECOVERY_OPEN',
    'Files are being found again on datanodes, and blocks that no file refers to may be theirs. End that first: "holdfast recover finish".',
    {},
  );
}

export function recoveryNotOpen(): HoldfastError {
  return refusal(
    'RECOVERY_NOT_OPEN',
    'Entries are restored only while a recovery is open: in a cluster made by "holdfast cluster init --recover", or after "holdfast recover open".',
    {},
  );
}

export function sessionExpired(session: string): HoldfastError {
  return refusal('SESSION_EXPIRED', `Session ${session} is unknown or expired. Open a new session.`, {
    session,
  });
}

export function resultForgotten(session: string, sequence: number, ackedBelow: number): HoldfastError {
  return invalidArgument(
    `The answer to request ${sequence} was acknowledged before and is forgotten; use a new sequence.`,
    { session, sequence, ackedBelow },
  );
}

/** The file is too large to be copied in one step. */
export function tooManyBlocks(path: string, blockCount: number, limit: number): HoldfastError {
  return refusal(
    'TOO_MANY_BLOCKS',
    `${path} has ${blockCount} blocks, and one step copies at most ${limit}. Use a client of this version: it copies such files in parts.`,
    { path, blockCount, limit },
  );
}

export function limitReached(what: string, limit: number): HoldfastError {
  return refusal('LIMIT_REACHED', `There cannot be more than ${limit} ${what}.`, { what, limit });
}

export function tokenInvalid(id: string): HoldfastError {
  return refusal('TOKEN_INVALID', 'The token is not one of this cluster. Ask for a new one.', { id });
}

export function tokenExpired(id: string, expiresMs: number): HoldfastError {
  return refusal('TOKEN_EXPIRED', 'The token has expired. Ask for a new one.', { id, expiresMs });
}

export function tokenRevoked(id: string): HoldfastError {
  return refusal('TOKEN_REVOKED', 'The token was revoked. Ask for a new one.', { id });
}

export function tokenUsedUp(id: string): HoldfastError {
  return refusal('TOKEN_USED_UP', 'The token was used as often as it may be. Ask for a new one.', { id });
}

export function roleNotAllowed(id: string, wanted: readonly string[], got: readonly string[]): HoldfastError {
  return refusal(
    'ROLE_NOT_ALLOWED',
    `The token allows the roles ${got.join(', ')}, not ${wanted.join(', ')}. Ask for a token with these roles.`,
    { id, wanted, got },
  );
}

export function noSuchMember(number: number): HoldfastError {
  return refusal('NO_SUCH_MEMBER', `There is no active member ${number}. See cluster status.`, { number });
}

/** Without it nobody could commit anything any more. */
export function lastMetadataNode(number: number): HoldfastError {
  return refusal(
    'LAST_METADATA_NODE',
    `Member ${number} is the cluster's last metadata node and cannot leave. Let another metadata node join first.`,
    { number },
  );
}

/** The stored form of a refusal. */
export function toRefused(error: HoldfastError): Refused {
  return { code: error.code, message: error.message, factsJson: JSON.stringify(error.facts) };
}
