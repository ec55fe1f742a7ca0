/** @module A signal that fires at a deadline of the injected clock or with the caller's own signal. */
import { timedOut } from './errors.ts';
import type { Clock } from './ports.ts';

export interface Deadline {
  /** Its reason is the caller's, or DHT_TIMEOUT. */
  readonly signal: AbortSignal;
  /** Lets go of timer and listener; call when the work is over, however it ended. */
  release(): void;
}

/** `attempt` completes the sentence "Could not …" of the time-out error. */
export function startDeadline(
  clock: Clock,
  timeoutMs: number,
  attempt: string,
  signal?: AbortSignal,
): Deadline {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  const timer = clock.after(timeoutMs, () => controller.abort(timedOut(attempt, timeoutMs)));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  return {
    signal: controller.signal,
    release: () => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    },
  };
}
