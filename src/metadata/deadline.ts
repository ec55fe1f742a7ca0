/** @module Waiting for a promise no longer than a limit and no longer than somebody cares. */
import type { Clock } from '../common/clock.ts';

export interface WaitLimit {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Settles as `work` does, or rejects with `late()` at the limit or when the signal fires, whichever comes first. */
export function within<T>(limit: WaitLimit, work: Promise<T>, late: () => Error): Promise<T> {
  const { clock, limitMs, signal } = limit;
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      release();
      reject(late());
    };
    const timer = clock.after(Math.max(0, limitMs), giveUp);
    const release = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', giveUp);
    };
    if (signal?.aborted) return giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    work.then(
      (value) => {
        release();
        resolve(value);
      },
      (error: unknown) => {
        release();
        reject(error);
      },
    );
  });
}
