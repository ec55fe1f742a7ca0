/** @module Every error a datanode itself raises; those of its block store pass through unchanged. */
import { describeError, HoldfastError } from '../common/errors.ts';

export function busy(work: string, limit: number): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_BUSY',
    kind: 'unavailable',
    message: `This datanode already serves ${limit} ${work}, its limit. Use another one, or try again soon.`,
    facts: { work, limit },
  });
}

export function badHeader(what: string): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_BAD_HEADER',
    kind: 'refused',
    message: `The request for a block is malformed: ${what}. Do client and datanode run the same version?`,
    facts: { what },
  });
}

export function tooManyBytes(hash: string, sizeBytes: number): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_TOO_MANY_BYTES',
    kind: 'refused',
    message: `More than the announced ${sizeBytes} bytes came for block ${hash}. Nothing was kept.`,
    facts: { hash, sizeBytes },
  });
}

export function readerStalled(hash: string, afterMs: number): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_READER_STALLED',
    kind: 'unavailable',
    message: `The reader of block ${hash} took no bytes for ${afterMs} ms. Ask for the block again.`,
    facts: { hash, afterMs },
  });
}

export function hashMismatch(hash: string, got: string): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_HASH_MISMATCH',
    kind: 'broken',
    message: `The bytes sent as block ${hash} hash to ${got}. Nothing was kept; send the block again.`,
    facts: { hash, got },
  });
}

export function takenOut(hash: string): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_COPY_TAKEN_OUT',
    kind: 'unavailable',
    message: `The copy of block ${hash} that was here was taken out of service while the same block was being sent. Send it again.`,
    facts: { hash },
  });
}

export function replicationFailed(hash: string, target: number, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_REPLICATION_FAILED',
    kind: 'unavailable',
    message: `Block ${hash} could not be copied to datanode ${target}: ${describeError(cause)}. Choose another target.`,
    facts: { hash, target },
    cause,
  });
}

export function notAnnounced(hash: string): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_NOT_ANNOUNCED',
    kind: 'unavailable',
    message: `Block ${hash} is stored here, but too few metadata nodes took note of it in time. It goes on being announced.`,
    facts: { hash },
  });
}

export function announcedLate(hash: string, afterMs: number): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_ANNOUNCED_LATE',
    kind: 'unavailable',
    message: `Too few metadata nodes took the record of block ${hash} within ${afterMs} ms. It goes on being announced; are enough of them running?`,
    facts: { hash, afterMs },
  });
}

export function noMetadata(operation: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_NO_METADATA',
    kind: 'unavailable',
    message: `No metadata node answered ${operation} (${describeError(cause)}). Are metadata nodes running, and reachable from here?`,
    facts: { operation },
    cause,
  });
}

/** Final for this member number; the node stops. */
export function removed(number: number, cluster: string): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_REMOVED',
    kind: 'refused',
    message: `Datanode ${number} was removed from cluster ${cluster} and has stopped. Its number is never used again: remove its directory once no file needs the copies in it, and join anew with a token.`,
    facts: { number, cluster },
  });
}

/** The cluster was recovered from a state in which this datanode had not joined yet; the node stops. */
export function superseded(number: number, cluster: string, epoch: number, current: number): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_SUPERSEDED',
    kind: 'refused',
    message: `Datanode ${number} joined cluster ${cluster} in epoch ${epoch}; the cluster was recovered without what happened then, is now in epoch ${current}, and does not know it. It has stopped; its blocks are kept. Join anew with a token, in another directory.`,
    facts: { number, cluster, epoch, current },
  });
}

/** The answer of a metadata node that was left behind; nothing may be decided by it. */
export function staleAnswer(
  epoch: number,
  index: number,
  known: { readonly epoch: number; readonly index: number },
): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_STALE_ANSWER',
    kind: 'unavailable',
    message: `A metadata node said what was true at index ${index} of epoch ${epoch}, but index ${known.index} of epoch ${known.epoch} was heard of before. It is asked again; stop metadata nodes of an older epoch.`,
    facts: { epoch, index, knownEpoch: known.epoch, knownIndex: known.index },
  });
}

export function tooManyHashes(got: number, limit: number): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_TOO_MANY_HASHES',
    kind: 'refused',
    message: `${got} blocks were named in one request, and ${limit} is the limit. Ask in parts.`,
    facts: { got, limit },
  });
}

export function onlyMetadata(what: string, peer: string): HoldfastError {
  return new HoldfastError({
    code: 'DATANODE_NOT_ALLOWED',
    kind: 'refused',
    message: `Only a metadata node may ${what}, and peer ${peer} is none.`,
    facts: { peer },
  });
}
