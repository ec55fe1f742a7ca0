/** @module Waiting for a promise no longer than a limit and no longer than the asker cares. */
import type { Clock } from '../common/clock.ts';
import { orAborted, withDeadline } from '../common/deadline.ts';

export interface WaitLimit {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Settles as `work` does, or rejects with `late()` at the limit or when the signal fires, whichever comes first; no timer stays. */
export async function within<T>(limit: WaitLimit, work: Promise<T>, late: () => Error): Promise<T> {
  const { clock, limitMs, signal } = limit;
  const wanted = signal === undefined ? work : orAborted(work, signal);
  try {
    return await withDeadline(clock, Math.max(0, limitMs), wanted, late);
  } catch (error) {
    throw signal?.aborted ? late() : error;
  }
}
