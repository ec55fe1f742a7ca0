/** @module A command on several paths: each has a fate of its own. */
import { isHoldfastError } from '../src/common/errors.ts';
import { partlyFailed } from './errors.ts';
import type { Shell } from './shell.ts';

/**
 * Runs `work` for each path in turn. A single path's failure rejects as it is. Of several, each failure is told when it
 * happens, the others are tried all the same, and CLI_PARTLY_FAILED is thrown at the end. A cluster that does not answer
 * (kind `unavailable`) ends it at once: each further path would only wait as long again.
 */
export async function eachPath(
  { output, signal }: Shell,
  paths: readonly string[],
  work: (path: string) => Promise<void>,
): Promise<void> {
  let failed = 0;
  for (const path of paths) {
    signal.throwIfAborted();
    try {
      await work(path);
    } catch (error) {
      const isRefused = isHoldfastError(error) && error.kind !== 'unavailable';
      if (paths.length === 1 || signal.aborted || !isRefused) throw error;
      failed += 1;
      output.error(error);
    }
  }
  if (failed > 0) throw partlyFailed(failed, paths.length);
}
