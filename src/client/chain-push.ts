/** @module One block on its way along a chain of datanodes; given up when it stands still because one of them has fallen silent. */
import { relayAbort } from '../common/abort-relay.ts';
import { type Clock, sleep } from '../common/clock.ts';
import { isHoldfastError } from '../common/errors.ts';
import { call } from '../network/method.ts';
import type { Network } from '../network/network.ts';
import { BlockPush, failedOutcomes } from '../protocol/block-push.ts';
import type { BlockWriteHeader, CopyOutcome, Holder } from '../protocol/messages.ts';
import { HELLO } from '../protocol/methods.ts';
import { chainSilent } from './errors.ts';
import { NOT_HEARD } from './node-standing.ts';

export interface ChainComponents {
  readonly network: Network;
  readonly clock: Clock;
}

export interface ChainPushTask {
  /** First to last. */
  readonly chain: readonly Holder[];
  readonly header: Omit<BlockWriteHeader, 'chain'>;
  readonly pieces: readonly Uint8Array[];
  readonly signal: AbortSignal;
  /** Whether to look for silent datanodes when it stands still; else the chain has all the time that slow disks may take. */
  readonly isWatched: boolean;
  /** Called whenever bytes have left. */
  readonly moved?: (() => void) | undefined;
}

export interface WatchedChain extends Pick<ChainPushTask, 'chain' | 'isWatched'> {
  readonly signal: AbortSignal | undefined;
}

/** Nothing moves for this long: slow, or a node is gone without a word (paused, or its cable cut). */
export const STANDSTILL_MS = 700;
/** A datanode that runs says hello within this time, however slow its disk is. */
const HELLO_TIMEOUT_MS = 1_000;
/** Why nobody is watched any more. One for all: making an error costs more than the rest of the watch. */
const PUSH_ENDED = new Error('The push has ended.');

/** An outcome for each datanode of the chain. Of those that proved silent, `silent` has the numbers. Errors: the signal's reason. */
export async function pushAlongChain(
  components: ChainComponents,
  task: ChainPushTask,
): Promise<{ readonly outcomes: readonly CopyOutcome[]; readonly silent: readonly number[] }> {
  const [target, ...rest] = task.chain;
  if (target === undefined) return { outcomes: [], silent: [] };
  const { result, silent } = await watchChain(components, task, (signal, progress) =>
    push(components, { ...task, signal }, progress).catch((error: unknown) => {
      task.signal.throwIfAborted();
      return failedOutcomes(target, rest, error);
    }),
  );
  return { outcomes: result ?? [], silent };
}

/**
 * Does `work`, and ends it when nothing moves and datanodes of the chain prove silent: then `silent` has their numbers, and
 * `result` what became of it in spite of that, if anything. Errors: those of `work`.
 */
export async function watchChain<T>(
  components: ChainComponents,
  { chain, signal: given, isWatched }: WatchedChain,
  work: (signal: AbortSignal, progress: Progress) => Promise<T>,
): Promise<{ readonly result: T | undefined; readonly silent: readonly number[] }> {
  const givingUp = new AbortController();
  const release = relayAbort(given, givingUp);
  const progress = new Progress(components.clock);
  const done = work(givingUp.signal, progress).catch((error: unknown) => {
    if (givingUp.signal.aborted && !given?.aborted) return undefined;
    throw error;
  });
  const silent: number[] = [];
  const watching = new AbortController();
  const watched = isWatched
    ? untilSilent(components, chain, progress, watching.signal).then((nodes) => {
        silent.push(...nodes);
        if (nodes.length > 0) givingUp.abort(chainSilent(nodes));
      })
    : undefined;
  try {
    return { result: await done, silent };
  } finally {
    release();
    watching.abort(PUSH_ENDED);
    await watched;
  }
}

/** Which of `nodes` do not say hello. Never rejects. */
export async function silentOf(
  components: ChainComponents,
  nodes: readonly Holder[],
  signal: AbortSignal,
): Promise<number[]> {
  const answers = await Promise.all(
    nodes.map(async ({ node, peer, addresses }) => {
      if (!components.network.isConnected(peer)) components.network.learn(peer, addresses);
      try {
        await call(components.network, peer, HELLO, {}, { signal, timeoutMs: HELLO_TIMEOUT_MS });
        return undefined;
      } catch (error) {
        // Whoever says no, or does not know the question, is there.
        return !signal.aborted && isHoldfastError(error, ...NOT_HEARD) ? node : undefined;
      }
    }),
  );
  return answers.filter((node) => node !== undefined);
}

export class Progress {
  readonly #clock: Clock;
  #movedMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#movedMs = clock.monotonicMs();
  }

  note(): void {
    this.#movedMs = this.#clock.monotonicMs();
  }

  get stillMs(): number {
    return this.#clock.monotonicMs() - this.#movedMs;
  }
}

async function push(
  components: ChainComponents,
  task: ChainPushTask,
  progress: Progress,
): Promise<readonly CopyOutcome[]> {
  const { chain, header, pieces, signal } = task;
  const [target, ...rest] = chain as readonly [Holder, ...Holder[]];
  const sending = new BlockPush(components, { target, header: { ...header, chain: rest }, signal });
  try {
    for (const piece of pieces) {
      await sending.write(piece);
      progress.note();
      task.moved?.();
    }
    return await sending.finish();
  } catch (error) {
    sending.abort(error as Error);
    throw error;
  }
}

/** Resolves with datanodes that are silent while nothing moves; with none once the signal fires. Never rejects. */
async function untilSilent(
  components: ChainComponents,
  chain: readonly Holder[],
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly number[]> {
  for (;;) {
    try {
      await sleep(components.clock, Math.max(1, STANDSTILL_MS - progress.stillMs), signal);
    } catch {
      // The push has ended.
      return [];
    }
    if (progress.stillMs < STANDSTILL_MS) continue;
    const silent = await silentOf(components, chain, signal);
    // What moved meanwhile has proved that everybody is there.
    // Where nobody answers, this machine or its network is the slow one: others would fare no better.
    const isSomeoneThere = silent.length < chain.length || chain.length === 1;
    if (silent.length > 0 && isSomeoneThere && progress.stillMs >= STANDSTILL_MS)
      return signal.aborted ? [] : silent;
    progress.note();
  }
}
