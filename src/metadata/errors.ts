/** @module Everything a metadata node can fail with, by code. */
import { DhtError } from '../../dht/errors.ts';
import { type ErrorFacts, HoldfastError, describeError, isHoldfastError } from '../common/errors.ts';
import type { Refused } from '../namespace/schema.ts';

/** METADATA_NOT_LEADER (unavailable): surely not proposed; ask the leader, if one is known. */
export function notLeader(leader: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NOT_LEADER',
    kind: 'unavailable',
    message:
      leader === 0
        ? 'The change was not proposed: this metadata node is not the leader and knows none at the moment. Ask again shortly.'
        : `The change was not proposed: this metadata node is not the leader. Ask node ${leader}.`,
    facts: { leader },
  });
}

/** METADATA_NO_QUORUM (unavailable): nothing happened, since too few metadata nodes answer each other. */
export function noQuorum(what: string, waitedMs: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NO_QUORUM',
    kind: 'unavailable',
    message: `Could not ${what}: no majority of the metadata nodes answered within ${Math.round(waitedMs)} ms. Nothing was changed. Start the missing metadata nodes, or read with --stale.`,
    facts: { waitedMs: Math.round(waitedMs) },
  });
}

/** METADATA_OUTCOME_UNKNOWN (unknown): proposed, but nobody said whether it was committed. Retry with the same sequence. */
export function outcomeUnknown(reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_OUTCOME_UNKNOWN',
    kind: 'unknown',
    message: `The change was proposed, but it is not known whether it took place (${reason}). Ask again with the same session and sequence.`,
    facts: { reason },
    cause,
  });
}

/** METADATA_OVERLOADED (unavailable): a bounded queue is full; nothing happened. */
export function overloaded(queue: string, limit: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_OVERLOADED',
    kind: 'unavailable',
    message: `The metadata node has too much to do (${queue} is at its limit of ${limit}). Nothing was changed; ask again shortly.`,
    facts: { queue, limit },
  });
}

/** METADATA_NOT_SURVEYED (unavailable): it would have placed fewer copies than it may be able to in a moment. */
export function notSurveyed(datanode: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NOT_SURVEYED',
    kind: 'unavailable',
    message: `This metadata node has just started and has not heard from datanode ${datanode} yet, which it needs for that many copies. Ask another one, or again in a moment.`,
    facts: { datanode },
  });
}

/** METADATA_STOPPED (unavailable): the node is shutting down; nothing happened. */
export function stopped(): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_STOPPED',
    kind: 'unavailable',
    message: 'This metadata node is stopping. Ask another one.',
  });
}

/** METADATA_NOT_A_MEMBER (unavailable): this node was removed and hears it only now; surely nothing happened here. */
export function notAMember(cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NOT_A_MEMBER',
    kind: 'unavailable',
    message: 'This metadata node does not belong to the cluster any more. Ask another one.',
    cause,
  });
}

/** METADATA_NOT_READY (unavailable): joined or back again, and far from caught up. */
export function notReady(): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NOT_READY',
    kind: 'unavailable',
    message:
      'This metadata node is catching up and does not have the whole namespace yet. Ask another one, or wait a moment.',
  });
}

/** METADATA_FAILED (broken): storage or state machine failed; the node stops itself and must be started again. */
export function failed(cause: unknown): HoldfastError {
  const isTooOld = isHoldfastError(cause, 'NAMESPACE_FEATURE_LEVEL_TOO_LOW');
  return new HoldfastError({
    code: 'METADATA_FAILED',
    kind: 'broken',
    message: isTooOld
      ? `This metadata node stopped itself. ${cause.message}`
      : `This metadata node stopped itself because it could not store its log or its state: ${describeError(cause)}. Look at its disk, then start it again.`,
    cause,
  });
}

/** METADATA_NOT_ALLOWED (refused): the caller's roles do not permit it. */
export function notAllowed(what: string, facts: ErrorFacts = {}): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NOT_ALLOWED',
    kind: 'refused',
    message: `Not allowed: ${what}.`,
    facts,
  });
}

/** METADATA_BAD_REQUEST (refused): a field is missing or out of its range. */
export function badRequest(what: string, facts: ErrorFacts = {}): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_BAD_REQUEST',
    kind: 'refused',
    message: `The request makes no sense: ${what}.`,
    facts,
  });
}

/** METADATA_COMMAND_TOO_LARGE (refused). */
export function commandTooLarge(sizeBytes: number, limitBytes: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_COMMAND_TOO_LARGE',
    kind: 'refused',
    message: `One command of ${sizeBytes} bytes is more than the ${limitBytes} a log entry may hold. Send fewer blocks at once.`,
    facts: { sizeBytes, limitBytes },
  });
}

/** NAMESPACE_NO_SUCH_MEMBER (refused). */
export function noSuchMember(number: number): HoldfastError {
  return new HoldfastError({
    code: 'NAMESPACE_NO_SUCH_MEMBER',
    kind: 'refused',
    message: `There is no member ${number}. "holdfast cluster members" lists them.`,
    facts: { number },
  });
}

/** METADATA_LAST_METADATA_NODE (refused): without it nobody could commit anything any more. */
export function lastMetadataNode(number: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_LAST_METADATA_NODE',
    kind: 'refused',
    message: `Node ${number} is the cluster's last metadata node and cannot leave. Let another metadata node join first.`,
    facts: { number },
  });
}

/** METADATA_REMOVED (refused): final for this member number; the node stops. */
export function removed(number: number, cluster: string): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_REMOVED',
    kind: 'refused',
    message: `Node ${number} was removed from cluster ${cluster} and has stopped. Its number is never used again: remove its directory once no file needs the copies in it, and join anew with a token.`,
    facts: { number, cluster },
  });
}

/** METADATA_SUPERSEDED (refused): the cluster was recovered without this node, which must not take part any more. */
export function superseded(number: number, cluster: string, epoch: number, current: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_SUPERSEDED',
    kind: 'refused',
    message: `Node ${number} is of epoch ${epoch} of cluster ${cluster}, which was recovered without it and is now in epoch ${current}. It has stopped, and will not vote again. Join anew as a metadata node, in another directory; if this directory also holds blocks, run it with "holdfast node start --role data".`,
    facts: { number, cluster, epoch, current },
  });
}

/** METADATA_REMOVAL_UNSAFE (refused): what would be lost is in the facts; `force` does it anyway. */
export function removalUnsafe(number: number, concerns: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_REMOVAL_UNSAFE',
    kind: 'refused',
    message: `Node ${number} was not removed. ${concerns.join(' ')} Add --force to remove it all the same.`,
    facts: { number, concerns },
  });
}

/** METADATA_NOT_A_DATANODE (refused): only datanodes hold copies. */
export function notADatanode(number: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NOT_A_DATANODE',
    kind: 'refused',
    message: `Node ${number} holds no blocks: it is no datanode. "holdfast cluster members" lists the roles.`,
    facts: { number },
  });
}

/** METADATA_NOT_A_VOTER (refused): only a voter can lead. */
export function notAVoter(number: number, voters: readonly number[]): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NOT_A_VOTER',
    kind: 'refused',
    message: `Node ${number} cannot lead: the voting metadata nodes are ${voters.join(', ')}.`,
    facts: { number, voters: voters.map(String) },
  });
}

/** METADATA_NOT_TRANSFERRED (unavailable): the leader is still the same. */
export function notTransferred(to: number, leader: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NOT_TRANSFERRED',
    kind: 'unavailable',
    message:
      to === 0
        ? `Node ${leader} still leads: no other voting metadata node answers it.`
        : `Node ${leader} still leads: node ${to} did not take over in time. Look at it in "holdfast cluster members".`,
    facts: { to, leader },
  });
}

/** METADATA_ROLLED_BACK (broken): this node has forgotten what it once said; it must not vote under its number. */
export function rolledBack(number: number, witness: number, has: number, said: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_ROLLED_BACK',
    kind: 'broken',
    message: `The data directory of node ${number} is older than the node itself: it has ${has} writes of its log, and node ${witness} has heard of ${said}. An old copy was probably put back. Start it again: it comes back under a new number.`,
    facts: { number, witness, has, said },
  });
}

/** METADATA_COPY_ALONE (refused): nobody can say whether this copy is the newest state of the node. */
export function copyAlone(number: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_COPY_ALONE',
    kind: 'refused',
    message: `The data directory of node ${number} is a copy (its files were put here by something else), and it is the only voter: there is nobody who could say whether the node has gone on elsewhere since. If it has not, accept this copy with "holdfast cluster recover --force".`,
    facts: { number },
  });
}

/** METADATA_REJOIN_UNSAFE (unavailable): without the node that asks, too few voters are heard for a majority. */
export function rejoinUnsafe(number: number, voters: readonly number[]): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_REJOIN_UNSAFE',
    kind: 'unavailable',
    message: `Node ${number} cannot get a new number now: of the other voters (${voters.join(', ') || 'none'}) no majority is heard. Start the missing metadata nodes; if they are lost for good, see "holdfast cluster recover".`,
    facts: { number, voters: voters.map(String) },
  });
}

/** METADATA_JOIN_RATE_LIMITED (unavailable): strangers may only try so often. */
export function joinRateLimited(retryMs: number): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_JOIN_RATE_LIMITED',
    kind: 'unavailable',
    message: `Too many attempts to join at this metadata node. Try again in ${Math.ceil(retryMs / 1000)} s.`,
    facts: { retryMs: Math.ceil(retryMs) },
  });
}

/** NAMESPACE_WRONG_CLUSTER (refused): the token was made by another cluster. */
export function wrongCluster(wanted: string, got: string): HoldfastError {
  return new HoldfastError({
    code: 'NAMESPACE_WRONG_CLUSTER',
    kind: 'refused',
    message: `The token is for cluster ${got}, and this is cluster ${wanted}. Use a token made by this cluster.`,
    facts: { wanted, got },
  });
}

/** METADATA_SNAPSHOT_FAILED (unavailable): the snapshot could not be fetched or did not match its checksum. */
export function snapshotFailed(name: string, reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_SNAPSHOT_FAILED',
    kind: 'unavailable',
    message: `Snapshot ${name} could not be had: ${reason}. The leader will offer one again.`,
    facts: { name, reason },
    cause,
  });
}

/** METADATA_LOG_INCONSISTENT (broken): log and state machine on this disk do not belong together. */
export function logInconsistent(what: string, facts: ErrorFacts): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_LOG_INCONSISTENT',
    kind: 'broken',
    message: `The log and the namespace in this data directory do not fit together: ${what}. Do not use this directory; remove this member and join anew.`,
    facts,
  });
}

/** A refusal by the state machine, with its own code, as the error callers see. */
export function refusal(refused: Refused): HoldfastError {
  return new HoldfastError({
    code: refused.code,
    kind: 'refused',
    message: refused.message,
    facts: parseFacts(refused.factsJson),
  });
}

function parseFacts(json: string): ErrorFacts {
  if (json === '') return {};
  const parsed: unknown = JSON.parse(json);
  return typeof parsed === 'object' && parsed !== null ? (parsed as ErrorFacts) : {};
}

/** What the location index failed with, as callers over the wire see it: same code, kind and facts. */
export function fromDht(error: unknown): unknown {
  return error instanceof DhtError ? new HoldfastError(error) : error;
}
