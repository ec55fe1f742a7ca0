/** @module Waiting for a condition instead of for a time. */

const POLL_MS = 100;

/**
 * Calls `look` until it returns something other than undefined, and returns that. What it throws on the way counts as
 * "not yet"; after `deadlineMs` the last of it is the cause of the failure.
 */
export async function eventually<T>(
  claim: string,
  deadlineMs: number,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const startMs = performance.now();
  let cause: unknown;
  while (performance.now() - startMs < deadlineMs) {
    try {
      const found = await look();
      if (found !== undefined) return found;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`After ${deadlineMs} ms still not: ${claim}`, { cause });
}
