/** @module Several files in flight, each with its own fate. */
import { ByteBudget } from '../src/common/byte-budget.ts';
import { isHoldfastError } from '../src/common/errors.ts';
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

/** Enough to keep datanodes busy: large files have several blocks in flight by themselves. */
const LARGE_FILES_IN_FLIGHT = 4;
/** Small ones travel together, the more the better. */
const SMALL_FILES_IN_FLIGHT = 128;
/** A file up to this size, in bytes, is small: it goes as one block together with those of others. */
export const SMALL_FILE_BYTES: number = 64 * 1024;
/** Failures told one by one at the end; of more only the number is told. */
const MAX_FAILURES_TOLD = 50;
/** Said when metadata nodes were asked for as long as it may take: each further file would only wait as long again. */
const CLUSTER_IS_AWAY = ['CLIENT_NO_METADATA', 'CLIENT_OUTCOME_UNKNOWN', 'METADATA_NO_QUORUM'] as const;

interface Failure {
  readonly name: string;
  readonly error: unknown;
}

/**
 * Runs `work` for each item, LARGE_FILES_IN_FLIGHT at a time, or SMALL_FILES_IN_FLIGHT of small ones. A single file's failure rejects as it is. Of several, each failure
 * is told at the end and CLI_PARTLY_FAILED thrown. When listing the items fails, or the cluster is away, nothing new is begun: what
 * failed until then is told, and the reason thrown. Returns how many there were. When the signal fires, nothing new is begun and its reason is thrown.
 */
export async function transferAll<T>(
  { output, progress }: PoolComponents,
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<void>,
  options: PoolOptions & {
    readonly nameOf: (item: T) => string;
    /** Undefined: not known. */
    readonly sizeOf: (item: T) => number | undefined;
    readonly isSingle: boolean;
    /** What is left to do for those that went well, after all of them. */
    readonly finish?: () => Promise<void>;
  },
): Promise<number> {
  const failures: Failure[] = [];
  const running = new Set<Promise<void>>();
  const room = new ByteBudget(SMALL_FILES_IN_FLIGHT);
  let count = 0;
  let failed = 0;
  /** Fires when nothing new is to be begun, with the reason. */
  const ending = new AbortController();
  const isOver = (): boolean => options.signal.aborted || ending.signal.aborted;
  try {
    for await (const item of items) {
      if (isOver()) break;
      const isSmall = (options.sizeOf(item) ?? Number.POSITIVE_INFINITY) <= SMALL_FILE_BYTES;
      const share = isSmall ? 1 : SMALL_FILES_IN_FLIGHT / LARGE_FILES_IN_FLIGHT;
      // Without the signal: what runs ends with it, and makes room.
      await room.acquire(share);
      if (isOver()) break;
      count += 1;
      const run = work(item)
        .catch((error: unknown) => {
          failed += 1;
          if (isHoldfastError(error, ...CLUSTER_IS_AWAY)) ending.abort(error);
          if (failures.length < MAX_FAILURES_TOLD) failures.push({ name: options.nameOf(item), error });
        })
        .finally(() => {
          running.delete(run);
          room.release(share);
        });
      running.add(run);
    }
  } catch (error) {
    ending.abort(error);
  }
  // Also when listing the items failed: nothing may go on behind the caller's back.
  await Promise.all(running);
  progress.stop();
  options.signal.throwIfAborted();
  if (options.isSingle && failures[0] !== undefined) throw failures[0].error;
  for (const { name, error } of failures) {
    if (!output.json) output.warn(`${printable(name)}:`);
    output.error(error);
  }
  ending.signal.throwIfAborted();
  await options.finish?.();
  if (failed > 0) throw partlyFailed(failed, count);
  return count;
}
