/** @module For writers that take hours: blocks that nobody referred to in time are kept, if their datanodes still have them. */
import { toHex } from '../common/bytes.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { BlockRef } from '../namespace/schema.ts';
import { call } from '../network/method.ts';
import type { Holder } from '../protocol/messages.ts';
import { LOCATE, RETAIN } from '../protocol/methods.ts';
import type { ClientContext } from './client-context.ts';
import { notRetained } from './errors.ts';

export interface WrittenBlocks {
  /** At most MAX_BLOCKS_PER_COMMAND. */
  readonly blocks: readonly BlockRef[];
  /** The earliest era in which one of them was written. */
  readonly era: number;
  /** Copies without which a block is not safe. */
  readonly requiredCopies: number;
  /** Whoever took at least one of them: the index names nobody for a block that is out of service meanwhile. */
  readonly writtenTo: readonly Holder[];
}

/** An era is an hour as a rule: more than one passes between a question and its answer only while a clock is being tested. */
const MAX_ATTEMPTS = 3;
const RETAIN_TIMEOUT_MS = 10_000;

/**
 * Runs `refer` with the era the blocks were written in. When that is too long ago, their datanodes are asked to keep
 * them, and it is run again. Errors: those of `refer`, CLIENT_NOT_RETAINED when too few still have them.
 */
export async function referTo<T>(
  context: ClientContext,
  written: WrittenBlocks,
  signal: AbortSignal,
  refer: (era: number) => Promise<T>,
): Promise<T> {
  let { era } = written;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await refer(era);
    } catch (error) {
      if (!isHoldfastError(error, 'NAMESPACE_WRITTEN_TOO_LONG_AGO')) throw error;
      const current = Number(error.facts['era']);
      if (attempt === MAX_ATTEMPTS || !(await areRetained(context, written, current, signal)))
        throw notRetained(written.blocks.length, error);
      era = current;
    }
  }
}

/** True when of each block enough copies stay. Keepers may have made further ones, which only the index knows. */
async function areRetained(
  context: ClientContext,
  { blocks, requiredCopies, writtenTo }: WrittenBlocks,
  era: number,
  signal: AbortSignal,
): Promise<boolean> {
  const hashes = blocks.map(({ hash }) => hash);
  const located = await context.metadata.ask(LOCATE, { hashes }, { signal });
  const holders = new Map([...writtenTo, ...located.holders].map((holder) => [holder.node, holder]));
  const answers = await Promise.all(
    [...holders.values()].map((holder) => retain(context, holder, hashes, era, signal)),
  );
  return hashes.every(
    (_hash, position) => answers.filter((retained) => retained[position]).length >= requiredCopies,
  );
}

async function retain(
  { network, logger }: ClientContext,
  { peer, addresses, node }: Holder,
  hashes: readonly Uint8Array[],
  era: number,
  signal: AbortSignal,
): Promise<readonly boolean[]> {
  if (!network.isConnected(peer)) network.learn(peer, addresses);
  try {
    const options = { signal, timeoutMs: RETAIN_TIMEOUT_MS };
    return (await call(network, peer, RETAIN, { hashes: [...hashes], era }, options)).retained;
  } catch (error) {
    signal.throwIfAborted();
    logger.warn('client.not-retained', {
      node,
      first: toHex(hashes[0] ?? new Uint8Array()),
      error: describeError(error),
    });
    return [];
  }
}
