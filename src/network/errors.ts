/** @module Every failure of the network, and how a HoldfastError travels over the wire. */
import {
  describeError,
  HoldfastError,
  type ErrorFacts,
  type ErrorKind,
  isHoldfastError,
} from '../common/errors.ts';
import { fromUtf8, KIB, utf8 } from '../common/bytes.ts';
import type { PeerId, TrafficClass } from './network.ts';

/** An error on the wire is never larger: a longer message is cut, larger facts are left out. */
const MAX_MESSAGE_CHARACTERS = 4 * KIB;
const MAX_FACTS_CHARACTERS = 16 * KIB;

/** Never sent. `reason` is a clause such as "no address of it is known". */
export function unreachable(peer: PeerId, reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_UNREACHABLE',
    kind: 'unavailable',
    message: `Could not reach peer ${peer}: ${reason}. Nothing was sent; try another peer, or this one later.`,
    facts: { peer, reason },
    cause,
  });
}

export function timedOut(peer: PeerId, method: string, timeoutMs: number): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_TIMEOUT',
    kind: 'unknown',
    message: `Peer ${peer} did not answer ${method} within ${timeoutMs} ms. It may still have done it.`,
    facts: { peer, method, timeoutMs },
  });
}

export function disconnected(peer: PeerId, method: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_DISCONNECTED',
    kind: 'unknown',
    message: `The connection to peer ${peer} broke during ${method}. It may or may not have been done.`,
    facts: { peer, method },
    cause,
  });
}

/** Why a dial failed: each address it was tried at has a reason of its own. */
export function describeDialFailure(cause: unknown): string {
  if (isHoldfastError(cause)) return String(cause.facts['reason'] ?? cause.message);
  if (cause instanceof AggregateError) return cause.errors.map(describeDialFailure).join('; ');
  return describeError(cause);
}

/** What the system says at once where nobody listens, or where no way leads. */
const NOBODY_THERE = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'ENOTFOUND'];

/** Whether a dial failed since nobody is at any of the addresses that were tried, as far as this machine can tell. */
export function isNobodyThere(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isNobodyThere);
  if (!(error instanceof Error)) return false;
  if ('code' in error && NOBODY_THERE.includes(String(error.code))) return true;
  return isNobodyThere(error.cause);
}

/** `what` names the bounded thing that is full, e.g. "send queue". */
export function overloaded(peer: PeerId, what: string): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_OVERLOADED',
    kind: 'unavailable',
    message: `The ${what} for peer ${peer} is full. Nothing was sent; ask again after a pause.`,
    facts: { peer, what },
  });
}

export function aborted(peer: PeerId, method: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_ABORTED',
    kind: 'unknown',
    message: `${method} with peer ${peer} was given up before its end.`,
    facts: { peer, method },
    cause,
  });
}

/** Built by the refusing side: `peer` is the caller. */
export function notAMember(peer: PeerId, trafficClass: TrafficClass): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_NOT_A_MEMBER',
    kind: 'refused',
    message: `Peer ${peer} may not speak ${trafficClass} here: it is not an active member with a fitting role. Join with a token first.`,
    facts: { peer, trafficClass },
  });
}

export function noSuchMethod(peer: PeerId, method: string): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_NO_SUCH_METHOD',
    kind: 'refused',
    message: `Peer ${peer} does not serve ${method}. It has another role or another version.`,
    facts: { peer, method },
  });
}

/** Built by the serving side, before anything was done: the caller's fault, so it is told and nobody else. */
export function unreadable(method: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_UNREADABLE',
    kind: 'refused',
    message: `A request for ${method} cannot be read: ${describeError(cause)}. Nothing was done. Do both ends run releases that fit together?`,
    facts: { method },
    cause,
  });
}

export function tooLarge(method: string, sizeBytes: number, limitBytes: number): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_TOO_LARGE',
    kind: 'refused',
    message: `A message of ${method} has ${sizeBytes} bytes, more than the limit of ${limitBytes}. Split it or use a channel.`,
    facts: { method, sizeBytes, limitBytes },
  });
}

/** A handler failed with something that is no HoldfastError; the cause stays in the remote log. */
function remoteFailed(peer: PeerId, method: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_REMOTE_FAILED',
    kind: 'unknown',
    message: `Peer ${peer} failed inside ${method}: ${describeError(cause)}. See its log.`,
    facts: { peer, method },
    cause,
  });
}

export function brokenFrame(reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_BROKEN_FRAME',
    kind: 'broken',
    message: `A peer sent a frame that breaks the protocol: ${reason}. The stream was closed.`,
    facts: { reason },
    cause,
  });
}

export function portInUse(addresses: readonly string[], port: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_PORT_IN_USE',
    kind: 'unavailable',
    message: `Could not listen on port ${port} (${addresses.join(', ')}): another process has it. Stop that process or choose another port.`,
    facts: { addresses, port },
    cause,
  });
}

export function cannotListen(addresses: readonly string[], cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_CANNOT_LISTEN',
    kind: 'unavailable',
    message: `Could not listen on ${addresses.join(', ')}: ${describeError(cause)}. Correct the listen addresses.`,
    facts: { addresses },
    cause,
  });
}

export function badAddress(address: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_BAD_ADDRESS',
    kind: 'refused',
    message: `Not a multiaddr: ${JSON.stringify(address.slice(0, 200))}. Write e.g. /ip4/192.0.2.1/tcp/4600.`,
    facts: { address: address.slice(0, 200) },
    cause,
  });
}

/** `advice` is a sentence that says what to do. */
export function badIdentity(file: string, reason: string, advice: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_BAD_IDENTITY',
    kind: 'refused',
    message: `Refused the identity file ${file}: ${reason}. ${advice}`,
    facts: { file, reason },
    cause,
  });
}

/** What a caller is told about `error`: itself, or NETWORK_REMOTE_FAILED in its place. */
export function toHoldfastError(error: unknown, localPeer: PeerId, method: string): HoldfastError {
  return isHoldfastError(error) ? error : remoteFailed(localPeer, method, error);
}

export function encodeError(error: HoldfastError): Uint8Array {
  const facts = JSON.stringify(error.facts).length <= MAX_FACTS_CHARACTERS ? error.facts : {};
  const message = error.message.slice(0, MAX_MESSAGE_CHARACTERS);
  return utf8(JSON.stringify({ code: error.code, kind: error.kind, message, facts }));
}

/** The error `encodeError` wrote; NETWORK_BROKEN_FRAME when the bytes are something else. */
export function decodeError(bytes: Uint8Array): HoldfastError {
  try {
    const wire: unknown = JSON.parse(fromUtf8(bytes));
    if (isWireError(wire)) return new HoldfastError(wire);
  } catch (cause) {
    return brokenFrame(`an error that is no JSON (${describeError(cause)})`);
  }
  return brokenFrame('an error without code, kind or message');
}

interface WireError {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly message: string;
  readonly facts: ErrorFacts;
}

function isWireError(value: unknown): value is WireError {
  if (typeof value !== 'object' || value === null) return false;
  const { code, kind, message, facts } = value as Record<string, unknown>;
  return (
    typeof code === 'string' &&
    typeof message === 'string' &&
    typeof facts === 'object' &&
    facts !== null &&
    (kind === 'refused' || kind === 'unavailable' || kind === 'unknown' || kind === 'broken')
  );
}

/** `tried` is what was asked for, e.g. "map TCP port 4600"; `reason` a clause. */
export function gatewayRefused(tried: string, reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'NETWORK_GATEWAY_REFUSED',
    kind: 'unavailable',
    message: `The router was asked to ${tried}: ${reason}. Forward the port by hand and tell it with --announce, or leave it to relays.`,
    facts: { tried, reason },
    cause,
  });
}
