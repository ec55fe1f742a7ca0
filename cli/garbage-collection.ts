/** @module How this process collects garbage: bulk data must not make V8 trace a heap that holds next to none of it. */
import { setFlagsFromString } from 'node:v8';

/**
 * By default V8 counts the bytes of buffers as if they were objects of its small heap: it marks that heap anew for every
 * few MiB received, which took a third of a datanode's CPU time. With this flag buffers count only against limits of their
 * own, above all 64 MiB since the last collection: a quarter as many collections, for some 70 MiB more memory.
 */
export function countBuffersApart(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
}
