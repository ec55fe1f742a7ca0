/** @module One abort that makes another: what a caller gave up ends what was begun for it. */

const NOTHING = (): void => {};

/**
 * `target` fires with `source`, at once if that has fired. Returns what ends this: call it when the work is over, or a source
 * that lives long keeps a listener for each. AbortSignal.any() needs no such end, but the runtime keeps its signals, and
 * whoever listens to them, until they fire or nobody listens any more: work that never ends would stay in memory for ever.
 */
export function relayAbort(source: AbortSignal | undefined, target: AbortController): () => void {
  if (source === undefined) return NOTHING;
  const onAbort = (): void => target.abort(source.reason);
  if (source.aborted) {
    onAbort();
    return NOTHING;
  }
  source.addEventListener('abort', onAbort, { once: true });
  return () => source.removeEventListener('abort', onAbort);
}
