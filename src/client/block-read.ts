/** @module Gets one block from whoever has a good copy; nothing leaves here unverified. */
import { MIB, toHex } from '../common/bytes.ts';
import { sleep } from '../common/clock.ts';
import { withDeadline } from '../common/deadline.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import { sha256Stream } from '../common/hashing.ts';
import type { Channel } from '../network/network.ts';
import { BlockReadHeader, type Holder } from '../protocol/messages.ts';
import { BLOCK_READ_CHANNEL, LOCATE, REPORT_BAD_BLOCK } from '../protocol/methods.ts';
import type { ClientContext } from './client-context.ts';
import { badCopy, blockUnavailable, readStalled, wrongLength } from './errors.ts';
import { holdersOf, type PlannedBlock } from './read-plan.ts';

/** The part of a block that is wanted: [offset, offset + length). */
export interface BlockRange {
  readonly offset: number;
  readonly length: number;
}

export interface BlockReadOptions {
  /** Of the file, for messages. */
  readonly path: string;
  readonly range: BlockRange;
  readonly signal: AbortSignal;
}

const OPEN_TIMEOUT_MS = 5_000;
/** Silence of a datanode in the middle of a block after which the next one is asked, in milliseconds. */
const STALL_TIMEOUT_MS = 6_000;
/** Times that all holders are tried; before each but the first the index is asked anew. */
const MAX_ROUNDS = 4;
const FIRST_BACKOFF_MS = 250;
/** A part of a larger block is read alone, trusting the datanode's CRC per 64 KiB. */
const WHOLE_READ_BYTES: number = 16 * MIB;
/** A copy that the datanode itself or its hash calls bad. */
const BAD_COPY = ['CLIENT_BAD_COPY', 'STORAGE_CORRUPT_BLOCK'];

/**
 * The wanted bytes, in pieces. A holder that fails is passed over, a bad copy is reported.
 * Errors: CLIENT_BLOCK_UNAVAILABLE.
 */
export async function readBlock(
  context: ClientContext,
  planned: PlannedBlock,
  options: BlockReadOptions,
): Promise<readonly Uint8Array[]> {
  const failures: string[] = [];
  let { holders } = planned;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (round > 0) {
      await sleep(context.clock, FIRST_BACKOFF_MS * 2 ** round, options.signal);
      holders = await locateAgain(context, planned, options.signal);
      failures.length = 0;
    }
    for (const holder of byNearness(context, holders)) {
      try {
        const pieces = await fetchBlock(context, planned, holder, options);
        context.standing.served(holder.node);
        return pieces;
      } catch (error) {
        options.signal.throwIfAborted();
        failures.push(`datanode ${holder.node}: ${describeError(error)}`);
        noteFailure(context, planned, holder, error);
      }
    }
  }
  throw blockUnavailable(toHex(planned.block.hash), options.path, failures);
}

/** Good standing first, then alive, then this machine, then by lot. */
function byNearness(context: ClientContext, holders: readonly Holder[]): readonly Holder[] {
  const rank = (holder: Holder): number =>
    (context.standing.isBad(holder.node) ? 4 : 0) +
    (holder.alive ? 0 : 2) +
    (holder.host !== '' && holder.host === context.host ? 0 : 1);
  return holders
    .map((holder) => ({ holder, rank: rank(holder), lot: context.random.int(holders.length) }))
    .toSorted((left, right) => left.rank - right.rank || left.lot - right.lot)
    .map(({ holder }) => holder);
}

async function fetchBlock(
  context: ClientContext,
  { block }: PlannedBlock,
  holder: Holder,
  { range, signal }: BlockReadOptions,
): Promise<readonly Uint8Array[]> {
  const isWhole = block.sizeBytes <= WHOLE_READ_BYTES || range.length === block.sizeBytes;
  const fetched = isWhole ? { offset: 0, length: block.sizeBytes } : range;
  if (!context.network.isConnected(holder.peer)) context.network.learn(holder.peer, holder.addresses);
  const header = BlockReadHeader.encode({ hash: block.hash, ...fetched }).finish();
  const openOptions = { signal, timeoutMs: OPEN_TIMEOUT_MS };
  const channel = await context.network.open(holder.peer, BLOCK_READ_CHANNEL, header, openOptions);
  const hash = sha256Stream();
  const pieces: Uint8Array[] = [];
  const onAbort = (): void => channel.abort(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    let sizeBytes = 0;
    for await (const piece of withoutStall(context, channel, holder.node)) {
      sizeBytes += piece.byteLength;
      if (sizeBytes > fetched.length)
        throw wrongLength(toHex(block.hash), holder.node, fetched.length, sizeBytes);
      if (isWhole) hash.update(piece);
      pieces.push(piece);
    }
    if (sizeBytes !== fetched.length)
      throw wrongLength(toHex(block.hash), holder.node, fetched.length, sizeBytes);
    if (isWhole && toHex(hash.digest()) !== toHex(block.hash)) throw badCopy(toHex(block.hash), holder.node);
    await channel.end();
  } catch (error) {
    channel.abort(error as Error);
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  return isWhole ? cut(pieces, range) : pieces;
}

async function* withoutStall(
  { clock }: ClientContext,
  channel: Channel,
  node: number,
): AsyncGenerator<Uint8Array> {
  const pieces = channel[Symbol.asyncIterator]();
  for (;;) {
    const next = await withDeadline(clock, STALL_TIMEOUT_MS, pieces.next(), () =>
      readStalled(node, STALL_TIMEOUT_MS),
    );
    if (next.done === true) return;
    yield next.value;
  }
}

/** The bytes of `range`, as views of `pieces`. */
function cut(pieces: readonly Uint8Array[], { offset, length }: BlockRange): readonly Uint8Array[] {
  let start = 0;
  const wanted: Uint8Array[] = [];
  for (const piece of pieces) {
    const from = Math.max(0, offset - start);
    const to = Math.min(piece.byteLength, offset + length - start);
    if (from < to) wanted.push(from === 0 && to === piece.byteLength ? piece : piece.subarray(from, to));
    start += piece.byteLength;
  }
  return wanted;
}

function noteFailure(
  context: ClientContext,
  { block }: PlannedBlock,
  { node }: Holder,
  error: unknown,
): void {
  const hash = toHex(block.hash);
  context.logger.warn('client.copy-not-read', { hash, node, error: describeError(error) });
  // A node that no longer has this block may well serve the others.
  if (!isHoldfastError(error, 'STORAGE_NO_BLOCK', ...BAD_COPY)) context.standing.failed(node);
  if (!isHoldfastError(error, ...BAD_COPY)) return;
  context.metadata
    .ask(REPORT_BAD_BLOCK, { hash: block.hash, node, reason: describeError(error) })
    .catch((cause: unknown) =>
      context.logger.warn('client.bad-copy-not-reported', { hash, node, error: describeError(cause) }),
    );
}

async function locateAgain(
  context: ClientContext,
  { block }: PlannedBlock,
  signal: AbortSignal,
): Promise<readonly Holder[]> {
  const answer = await context.metadata.ask(LOCATE, { hashes: [block.hash] }, { signal });
  const byNode = new Map(answer.holders.map((holder) => [holder.node, holder]));
  return answer.blocks.flatMap((located) => holdersOf(located, byNode));
}
