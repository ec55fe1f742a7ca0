/** @module An attempt that its signal may end, but not what came of it: Node destroys a socket whenever the signal it was made with fires. */

/** Gives `work` a signal that follows `signal` until the work is done, and never fires afterwards. */
export async function attempt<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const own = new AbortController();
  const onAbort = (): void => own.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await work(own.signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
