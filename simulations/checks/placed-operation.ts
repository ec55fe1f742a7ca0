/** @module An operation of a history with its place in it, and how it bears on the state. */
import type { Operation } from './operation.ts';

/**
 * How an operation of a known outcome bears on the state; what allows the search to take shortcuts.
 * - `reads`: given its answer it never changes the state
 * - `replaces`: always possible, and what was there before is neither seen nor kept
 * - `extends`: always possible, and keeps something of what was there
 * - `depends`: anything else
 */
export type Effect = 'reads' | 'replaces' | 'extends' | 'depends';

export interface PlacedOperation<Call> extends Operation<Call> {
  readonly effect: Effect;
  /** Place of its start, and of its end, among all starts and ends; Infinity where it has no end. */
  readonly startAt: number;
  readonly endAt: number;
  /** One bit, its own while it is open; 0n where it has no end. */
  readonly bit: bigint;
  /** Shared by all that ask the same and were told the same. */
  readonly kind: number;
}
