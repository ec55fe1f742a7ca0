/** @module Several files in flight, each with its own fate. */
import { partlyFailed } from './errors.ts';
import { type Output, printable } from './output.ts';
import type { Progress } from './progress-bar.ts';

export interface PoolComponents {
  readonly output: Output;
  readonly progress: Progress;
}

export interface PoolOptions {
  readonly signal: AbortSignal;
}

/** Enough to keep datanodes busy with small files; large ones have several blocks in flight by themselves. */
const FILES_IN_FLIGHT = 4;
/** Failures told one by one at the end; of more only the number is told. */
const MAX_FAILURES_TOLD = 50;

interface Failure {
  readonly name: string;
  readonly error: unknown;
}

/**
 * Runs `work` for each item, FILES_IN_FLIGHT at a time. A single file's failure rejects as it is. Of several, each failure
 * is told at the end and CLI_PARTLY_FAILED thrown. Returns how many there were. When the signal fires, nothing new is begun and its reason is thrown.
 */
export async function transferAll<T>(
  { output, progress }: PoolComponents,
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<void>,
  options: PoolOptions & { readonly nameOf: (item: T) => string; readonly isSingle: boolean },
): Promise<number> {
  const failures: Failure[] = [];
  const running = new Set<Promise<void>>();
  let count = 0;
  let failed = 0;
  try {
    for await (const item of items) {
      if (options.signal.aborted) break;
      count += 1;
      const run = work(item)
        .catch((error: unknown) => {
          failed += 1;
          if (failures.length < MAX_FAILURES_TOLD) failures.push({ name: options.nameOf(item), error });
        })
        .finally(() => running.delete(run));
      running.add(run);
      if (running.size >= FILES_IN_FLIGHT) await Promise.race(running);
    }
  } finally {
    // Also when listing the items failed: nothing may go on behind the caller's back.
    await Promise.all(running);
    progress.stop();
  }
  options.signal.throwIfAborted();
  if (options.isSingle && failures[0] !== undefined) throw failures[0].error;
  for (const { name, error } of failures) {
    if (!output.json) output.warn(`${printable(name)}:`);
    output.error(error);
  }
  if (failed > 0) throw partlyFailed(failed, count);
  return count;
}
