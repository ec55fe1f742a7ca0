/** @module How this process collects garbage: bulk data must not make V8 trace a heap that holds next to none of it. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { onShortLivedBytes } from '../src/common/short-lived-bytes.ts';

/**
 * By default V8 counts the bytes of buffers as if they were objects of its small heap: it marks that heap anew for every
 * few MiB received, which took a third of a datanode's CPU time. With the first flag buffers count only against limits of
 * their own, above all 64 MiB since the last marking; and with minor collections in between, of a millisecond each, they
 * are gone before they add up to that.
 */
export function collectBuffersApart(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
  let collect: Collector | undefined;
  onShortLivedBytes(() => {
    // Only now: most commands end before they have moved that much.
    collect ??= exposedCollector();
    collect({ type: 'minor' });
  });
}

type Collector = (options: { readonly type: 'minor' }) => void;

/** Contexts made after the flag was set have the function that it names. A V8 without it collects when it sees fit: that costs time only. */
function exposedCollector(): Collector {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('globalThis.gc');
  return typeof collect === 'function' ? (collect as Collector) : () => undefined;
}
