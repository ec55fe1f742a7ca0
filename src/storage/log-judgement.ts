/** @module Whether a Raft log still has everything that the marker beside it says was acknowledged. */
import { corruptLog, logBehind } from './errors.ts';
import type { LogStanding } from './log-mark.ts';

/**
 * A log may be ahead of its marker (the process ended between the two), never behind it and never another.
 * Throws STORAGE_LOG_BEHIND, STORAGE_CORRUPT_LOG. `path` is for the message. Pure.
 */
export function checkAgainst(path: string, standing: LogStanding, marked: LogStanding): void {
  if (standing.sequence < marked.sequence) throw logBehind(path, standing, marked);
  const isSame = standing.sequence === marked.sequence;
  const keepsPromise =
    standing.term > marked.term ||
    (standing.term === marked.term && (marked.vote === 0 || standing.vote === marked.vote));
  const endsAlike = standing.lastIndex === marked.lastIndex && standing.lastTerm === marked.lastTerm;
  if (!keepsPromise || (isSame && !endsAlike))
    throw corruptLog(
      path,
      `it ends at ${standing.lastIndex} of term ${standing.lastTerm} in term ${standing.term}, the marker beside it says ${marked.lastIndex} of term ${marked.lastTerm} in term ${marked.term}`,
    );
}
