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
  const timer = clock.after(timeoutMs, () => controller.abort(timedOut(attempt, timeoutMs)));
  const letGo = relayAbort(signal, controller);
  return {
    signal: controller.signal,
    release: () => {
      timer.cancel();
      letGo();
    },
  };
}

/** `target` fires with `source`, at once if that has fired. Returns what ends this: call it when the work is over. */
export function relayAbort(source: AbortSignal | undefined, target: AbortController): () => void {
  const onAbort = (): void => target.abort(source?.reason);
  source?.addEventListener('abort', onAbort, { once: true });
  if (source?.aborted) onAbort();
  return () => source?.removeEventListener('abort', onAbort);
}
