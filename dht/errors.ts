/** @module The failures of the location index. Same fields as HoldfastError, which dht/ may not import. */

/** What the caller may conclude; the words are those of src/common/errors.ts. */
export type DhtErrorKind = 'refused' | 'unavailable' | 'unknown' | 'broken';

export type DhtErrorCode =
  | 'DHT_BAD_BATCH'
  | 'DHT_NOT_YOUR_NODE'
  | 'DHT_STALE_GENERATION'
  | 'DHT_NOT_TAKEN'
  | 'DHT_NO_METADATA_PEERS'
  | 'DHT_LOOKUP_INCOMPLETE'
  | 'DHT_TOO_MANY_NODES'
  | 'DHT_TOO_OFTEN'
  | 'DHT_BAD_MANIFEST'
  | 'DHT_STALE_MANIFEST'
  | 'DHT_TIMEOUT'
  | 'DHT_STOPPED';

export interface DhtErrorInit {
  readonly code: DhtErrorCode;
  readonly kind: DhtErrorKind;
  readonly message: string;
  readonly facts?: Readonly<Record<string, string | number>>;
  readonly cause?: unknown;
}

/** Carries a stable `code`, a `kind` and JSON-safe `facts`, so that the shell can pass it on as a HoldfastError. */
export class DhtError extends Error {
  readonly code: DhtErrorCode;
  readonly kind: DhtErrorKind;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(init: DhtErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'DhtError';
    this.code = init.code;
    this.kind = init.kind;
    this.facts = init.facts ?? {};
  }
}

export function badBatch(complaint: string, facts: Readonly<Record<string, string | number>>): DhtError {
  return new DhtError({
    code: 'DHT_BAD_BATCH',
    kind: 'refused',
    message: `A batch of location records was not understood: ${complaint}. Nothing of it was taken; is the sender of another version?`,
    facts,
  });
}

export function notYourNode(caller: number, claimed: number): DhtError {
  return new DhtError({
    code: 'DHT_NOT_YOUR_NODE',
    kind: 'refused',
    message: `Member ${caller} announced blocks in the name of member ${claimed}. A datanode may announce only what it holds itself.`,
    facts: { caller, claimed },
  });
}

export function staleGeneration(node: number, known: number, got: number): DhtError {
  return new DhtError({
    code: 'DHT_STALE_GENERATION',
    kind: 'refused',
    message: `Member ${node} announced as start ${got}, but start ${known} of it was already heard. Stop the older process, or register again for a higher start number.`,
    facts: { node, known, got },
  });
}

export function notTaken(peer: string, wanted: number, got: number): DhtError {
  return new DhtError({
    code: 'DHT_NOT_TAKEN',
    kind: 'unavailable',
    message: `Metadata node ${peer} took ${got} of ${wanted} location records. The batch will be sent again; if this persists its index is full.`,
    facts: { peer, wanted, got },
  });
}

export function noMetadataPeers(attempt: string): DhtError {
  return new DhtError({
    code: 'DHT_NO_METADATA_PEERS',
    kind: 'unavailable',
    message: `Could not ${attempt}: no metadata node is known yet. Register with one first, then try again.`,
  });
}

export function lookupIncomplete(missing: number, asked: readonly string[], cause: unknown): DhtError {
  return new DhtError({
    code: 'DHT_LOOKUP_INCOMPLETE',
    kind: 'unavailable',
    message: `The holders of ${missing} blocks could not be learned: none of the metadata nodes that keep their records answered (failed: ${asked.join(', ')}). Try again when one of them is back.`,
    facts: { missing, asked: asked.join(' ') },
    cause,
  });
}

export function tooManyNodes(limit: number): DhtError {
  return new DhtError({
    code: 'DHT_TOO_MANY_NODES',
    kind: 'unavailable',
    message: `The location index already follows ${limit} datanode starts, its limit. Remove members that are gone.`,
    facts: { limit },
  });
}

export function tooOften(node: number, perSecond: number): DhtError {
  return new DhtError({
    code: 'DHT_TOO_OFTEN',
    kind: 'unavailable',
    message: `Member ${node} sent more than ${perSecond} batches of location records a second. Gather more into each batch, and send this one again later.`,
    facts: { node, perSecond },
  });
}

export function badManifest(complaint: string, signer: string, cause?: unknown): DhtError {
  return new DhtError({
    code: 'DHT_BAD_MANIFEST',
    kind: 'refused',
    message: `A cluster manifest${signer === '' ? '' : ` signed by ${signer}`} was not believed: ${complaint}. Nothing of it was taken; ask another node.`,
    facts: { signer },
    cause,
  });
}

export function staleManifest(signer: string, got: number, known: number): DhtError {
  return new DhtError({
    code: 'DHT_STALE_MANIFEST',
    kind: 'refused',
    message: `A cluster manifest of ${signer} is of epoch ${got}, and one of epoch ${known} is known. Nothing of it was taken; ask another node.`,
    facts: { signer, got, known },
  });
}

export function timedOut(attempt: string, timeoutMs: number): DhtError {
  return new DhtError({
    code: 'DHT_TIMEOUT',
    kind: 'unknown',
    message: `Could not ${attempt} within ${timeoutMs} ms. Check that the peer is up and reachable, then try again.`,
    facts: { timeoutMs },
  });
}

export function stopped(attempt: string): DhtError {
  return new DhtError({
    code: 'DHT_STOPPED',
    kind: 'unavailable',
    message: `Could not ${attempt}: this node is stopping. Ask another one.`,
  });
}

/** Text of anything that was thrown, for logs. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
