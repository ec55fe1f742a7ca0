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

/** METADATA_NO_SUCH_TOKEN (refused): a token that is not there cannot be revoked. */
export function noSuchToken(id: string): HoldfastError {
  return new HoldfastError({
    code: 'METADATA_NO_SUCH_TOKEN',
    kind: 'refused',
    message: `This cluster has no join token ${id}: nothing was revoked. "holdfast cluster token list" shows the ids.`,
    facts: { id },
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
    message: `That many copies need datanode ${datanode}, which this metadata node has not heard from yet, or which does not know yet how others reach it. Ask another one, or again in a moment.`,
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
      : `This metadata node stopped itself because it could not store its log or its state. Look at its disk, then start it again. ${describeError(cause)}`,
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
