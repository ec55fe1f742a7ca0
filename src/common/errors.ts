/** @module The error every folder's errors.ts builds on: a stable code, one of four kinds, and the facts. */

/**
 * What the caller may conclude; never mixed up.
 * - `refused`: nothing happened, and asking again unchanged will be refused again.
 * - `unavailable`: nothing happened, but the same request may succeed later or elsewhere.
 * - `unknown`: it may or may not have happened; ask again with the same session and sequence.
 * - `broken`: an invariant or a checksum failed; the thing named must not be used.
 */
export type ErrorKind = 'refused' | 'unavailable' | 'unknown' | 'broken';

/** Facts of a failure, small and JSON-safe, e.g. `{ path: '/a', wanted: 3, got: 1 }`. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface HoldfastErrorInit {
  /** SCREAMING_SNAKE, prefixed by the folder: 'NAMESPACE_NOT_FOUND', 'NETWORK_TIMEOUT'. Stable for ever. */
  readonly code: string;
  readonly kind: ErrorKind;
  /** What was tried, on what, and what to do next: one or two sentences for a person. */
  readonly message: string;
  readonly facts?: ErrorFacts;
  readonly cause?: unknown;
}

/** The one error base. Callers switch on `code` (or `kind`), never on the text. Travels over the wire whole. */
export class HoldfastError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly facts: ErrorFacts;

  constructor(init: HoldfastErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'HoldfastError';
    this.code = init.code;
    this.kind = init.kind;
    this.facts = init.facts ?? {};
  }
}

/** True for a HoldfastError that carries one of `codes` (any HoldfastError when none is named). */
export function isHoldfastError(error: unknown, ...codes: readonly string[]): error is HoldfastError {
  return error instanceof HoldfastError && (codes.length === 0 || codes.includes(error.code));
}

/** Why a signal ends what nobody waits for any more. One for all: abort() without a reason makes an error with its trace each time. */
export const NOT_WANTED: Error = new Error('nobody waits for it any more');

/** Text of anything that was thrown, for logs and messages. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A broken invariant is a bug of ours: stop rather than guess. Stays on in production. */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition)
    throw new HoldfastError({ code: 'ASSERTION', kind: 'broken', message: `Invariant broken: ${claim}` });
}
