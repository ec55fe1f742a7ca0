/** @module Gets one block from whoever has a good copy; nothing leaves here unverified. */
import { MIB, toHex } from '../common/bytes.ts';
import { sleep } from '../common/clock.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import { sha256 } from '../common/hashing.ts';
import type { Holder } from '../protocol/messages.ts';
import { LOCATE, REPORT_BAD_BLOCK } from '../protocol/methods.ts';
import type { ClientContext } from './client-context.ts';
import { badCopy, blockUnavailable } from './errors.ts';
import { fetchHedged } from './hedged-fetch.ts';
import type { BlockRange } from './block-range.ts';
import { holdersOf, type PlannedBlock } from './read-plan.ts';
import { MAX_SMALL_BLOCK_BYTES } from './small-blocks.ts';

export interface BlockReadOptions {
  /** Of the file, for messages. */
  readonly path: string;
  readonly range: BlockRange;
  readonly signal: AbortSignal;
}

/** Times that all holders are tried; before each but the first the index is asked anew. */
const MAX_ROUNDS = 4;
const FIRST_BACKOFF_MS = 250;
/** A part of a larger block is read alone, trusting the datanode's CRC per 64 KiB. */
const WHOLE_READ_BYTES: number = 16 * MIB;
/** A copy that the datanode itself or its hash calls bad. */
const GONE = 'STORAGE_NO_BLOCK';
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
  const { hash } = planned.block;
  const local = await readHere(context, planned, options);
  if (local !== undefined) return local;
  const isWhole = isReadWhole(planned, options.range);
  const cached = isWhole ? await context.cache?.blocks.read(hash) : undefined;
  if (cached !== undefined) return cut([cached], options.range);
  const together = await readTogether(context, planned, options);
  if (together !== undefined) {
    await context.cache?.blocks.keep(hash, together);
    return cut(together, options.range);
  }
  const failures: string[] = [];
  let { holders } = planned;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (round > 0) {
      await sleep(context.clock, FIRST_BACKOFF_MS * 2 ** round, options.signal);
      holders = await locateAgain(context, planned, options.signal);
      failures.length = 0;
    }
    const pieces = await readOnce(
      context,
      planned,
      byNearness(context, holders),
      options,
      (holder, error) => {
        failures.push(`datanode ${holder.node}: ${describeError(error)}`);
        noteFailure(context, planned, holder, error);
      },
    );
    if (pieces === undefined) continue;
    if (!isWhole) return pieces;
    await context.cache?.blocks.keep(hash, pieces);
    return cut(pieces, options.range);
  }
  throw blockUnavailable(toHex(hash), options.path, failures);
}

/** Good standing first, then alive, then this machine, then who is asked anyway, then who answers soonest, then by lot. */
function byNearness(context: ClientContext, holders: readonly Holder[]): readonly Holder[] {
  const rank = (holder: Holder): number =>
    (context.standing.isBad(holder.node) ? 4 : 0) +
    (holder.alive && !context.members.isAway(holder.node) ? 0 : 2) +
    (holder.host !== '' && holder.host === context.host ? 0 : 1) +
    (context.smallReads.isGathering(holder.node) ? 0 : 0.5);
  return holders
    .map((holder) => ({
      holder,
      rank: rank(holder),
      distance: context.readTimes.distance(holder.node),
      lot: context.random.int(holders.length),
    }))
    .toSorted((a, b) => a.rank - b.rank || a.distance - b.distance || a.lot - b.lot)
    .map(({ holder }) => holder);
}

/** From the files of a datanode on this machine, if there is one, and it has the block. */
async function readHere(
  { localBlocks }: ClientContext,
  planned: PlannedBlock,
  { range, signal }: BlockReadOptions,
): Promise<readonly Uint8Array[] | undefined> {
  signal.throwIfAborted();
  const { block } = planned;
  const isWhole = isReadWhole(planned, range);
  const pieces = await localBlocks?.read(block, isWhole ? { offset: 0, length: block.sizeBytes } : range);
  return pieces && isWhole ? cut(pieces, range) : pieces;
}

/** The whole block, along with other small ones; undefined when it is to be read alone, with all that is done about holders that fail. */
async function readTogether(
  context: ClientContext,
  planned: PlannedBlock,
  { signal }: BlockReadOptions,
): Promise<readonly Uint8Array[] | undefined> {
  const { block, holders } = planned;
  if (block.sizeBytes > MAX_SMALL_BLOCK_BYTES) return undefined;
  const [holder] = byNearness(context, holders);
  if (holder === undefined) return undefined;
  try {
    const bytes = await context.smallReads.read(block, holder, signal);
    if (bytes === undefined) return undefined;
    if (bytes.byteLength !== block.sizeBytes || toHex(sha256(bytes)) !== toHex(block.hash))
      throw badCopy(toHex(block.hash), holder.node);
    context.standing.served(holder.node);
    return [bytes];
  } catch (error) {
    signal.throwIfAborted();
    noteFailure(context, planned, holder, error);
    return undefined;
  }
}

/** Verified bytes of the whole block, or of `range` where that alone is read; undefined when no holder had them. */
async function readOnce(
  context: ClientContext,
  planned: PlannedBlock,
  holders: readonly Holder[],
  { range, signal }: Pick<BlockReadOptions, 'range' | 'signal'>,
  onFailure: (holder: Holder, error: unknown) => void,
): Promise<readonly Uint8Array[] | undefined> {
  const { hash, sizeBytes } = planned.block;
  const isWhole = isReadWhole(planned, range);
  const fetched = isWhole ? { offset: 0, length: sizeBytes } : range;
  using message = isWhole ? context.hasher.begin(sizeBytes) : undefined;
  const onPiece = (piece: Uint8Array): void => message?.add(piece);
  const task = { hash, range: fetched, holders, signal, onPiece, onFailure };
  const got = await fetchHedged(context, task);
  if (got === undefined) return undefined;
  for (const { node } of got.sources) context.standing.served(node);
  if (message === undefined || (await message.isNamed(hash))) return got.pieces;
  const [only] = got.sources;
  if (got.sources.length === 1 && only !== undefined) {
    onFailure(only, badCopy(toHex(hash), only.node));
    const others = holders.filter((holder) => holder !== only);
    return others.length === 0 ? undefined : readOnce(context, planned, others, { range, signal }, onFailure);
  }
  // One of several lies: each is asked for all of it, alone.
  for (const holder of holders) {
    const alone = await readOnce(context, planned, [holder], { range, signal }, onFailure);
    if (alone !== undefined) return alone;
  }
  return undefined;
}

function isReadWhole({ block }: PlannedBlock, range: BlockRange): boolean {
  return block.sizeBytes <= WHOLE_READ_BYTES || range.length === block.sizeBytes;
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
  // A node whose copy is bad or gone may well serve other blocks.
  if (!isHoldfastError(error, GONE, ...BAD_COPY))
    return context.standing.unable(node, isHoldfastError(error) ? error.code : '');
  context.metadata
    .ask(REPORT_BAD_BLOCK, { hash: block.hash, node, found: '', reason: describeError(error) })
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
