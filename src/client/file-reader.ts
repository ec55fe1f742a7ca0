/** @module Reads one file: several blocks fetched at once, handed over in order. */
import { relayAbort } from '../common/abort-relay.ts';
import { MIB } from '../common/bytes.ts';
import { isHoldfastError, NOT_WANTED } from '../common/errors.ts';
import type { Stat } from '../namespace/schema.ts';
import { giveBackBody } from '../network/frame.ts';
import { readBlock } from './block-read.ts';
import type { ClientContext } from './client-context.ts';
import type { FileLocation, GetOptions, GetResult, ReadOptions } from './client-options.ts';
import { fileChanged, invalidArgument } from './errors.ts';
import type { BlockRange } from './block-range.ts';
import { blockBefore, planRead, type ReadPlan } from './read-plan.ts';
import { MAX_SMALL_BLOCK_BYTES } from './small-blocks.ts';

/** Bytes of blocks held until the reader has taken them: eight of the default size, of which four are hashed while four arrive, or a single larger one. */
const MAX_HELD_BYTES: number = 64 * MIB;
/** Blocks on their way at once, however small they are. */
const MAX_BLOCKS_IN_FLIGHT = 8;
const FILE_CHANGED = 'CLIENT_FILE_CHANGED';
const OUTDATED: readonly string[] = [FILE_CHANGED, 'CLIENT_BLOCK_UNAVAILABLE'];

/** See Client.get. */
export async function readFile(
  context: ClientContext,
  path: string,
  options: GetOptions,
): Promise<GetResult> {
  const { offset = 0, length = Number.MAX_SAFE_INTEGER } = options;
  checkPosition('offset', offset);
  checkPosition('length', length);
  const plan = await planRead(context.plans, path, offset, options);
  const end = Math.min(plan.stat.sizeBytes, offset + length);
  return { stat: plan.stat, bytes: readBytes(context, plan, { path, offset, end }, options) };
}

/** Where the copies of a file's blocks are now. */
export async function locateFile(
  { freshPlans }: ClientContext,
  path: string,
  options: ReadOptions,
): Promise<FileLocation> {
  const plan = await planRead(freshPlans, path, 0, options);
  const blocks = [];
  const byNode = new Map<number, FileLocation['holders'][number]>();
  for await (const { block, holders } of plan.blocks) {
    blocks.push(block);
    for (const holder of holders) byNode.set(holder.node, holder);
  }
  return { stat: plan.stat, blocks, holders: [...byNode.values()] };
}

/** Bytes [offset, end) of the file. */
interface FileRange {
  readonly path: string;
  readonly offset: number;
  readonly end: number;
}

interface BlockOnItsWay {
  readonly pieces: Promise<readonly Uint8Array[]>;
  readonly sizeBytes: number;
}

async function* readBytes(
  context: ClientContext,
  plan: ReadPlan,
  range: FileRange,
  { signal: given, onProgress, transient = false }: GetOptions,
): AsyncGenerator<Uint8Array> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const release = relayAbort(given, stopping);
  const totalBytes = Math.max(0, range.end - range.offset);
  const fetches = fetchAhead(context, plan, range, signal);
  const ahead = new ReadAhead(fetches);
  let doneBytes = 0;
  try {
    for (let pieces = await ahead.next(); pieces !== undefined; pieces = await ahead.next()) {
      for (const piece of pieces) {
        signal.throwIfAborted();
        const sizeBytes = piece.byteLength;
        yield piece;
        doneBytes += sizeBytes;
        if (transient) takeBack(context, piece);
        onProgress?.({ doneBytes, totalBytes });
      }
    }
  } catch (error) {
    throw await becauseItChanged(context, plan.stat, error);
  } finally {
    release();
    // The reader may have had enough: what is on its way is given up.
    stopping.abort(NOT_WANTED);
  }
}

/** Nobody looks at the piece any more. A small one may lie in one message with others. */
function takeBack({ localBlocks }: ClientContext, piece: Uint8Array): void {
  if (localBlocks?.takeBack(piece) === true || piece.byteLength <= MAX_SMALL_BLOCK_BYTES) return;
  giveBackBody(piece);
}

/** What is remembered of a file may be out of date, and its blocks gone: then that is the reason, and it is forgotten. */
async function becauseItChanged(
  { cache, freshPlans }: ClientContext,
  stat: Stat,
  error: unknown,
): Promise<unknown> {
  if (cache === undefined || !isHoldfastError(error, ...OUTDATED)) return error;
  await cache.plans.forget();
  if (isHoldfastError(error, FILE_CHANGED)) return error;
  try {
    const now = await freshPlans.stat(stat.path, {});
    return now.inode === stat.inode && now.version === stat.version ? error : fileChanged(stat.path, error);
  } catch (cause) {
    return isHoldfastError(cause, 'NAMESPACE_NOT_FOUND') ? fileChanged(stat.path, error) : error;
  }
}

/** Starts the fetch of each block in turn, when pulled. */
async function* fetchAhead(
  context: ClientContext,
  plan: ReadPlan,
  { path, offset, end }: FileRange,
  signal: AbortSignal,
): AsyncGenerator<BlockOnItsWay> {
  if (offset >= end) return;
  const { blockSizeBytes } = plan.stat;
  let start = blockBefore(plan.stat, offset) * blockSizeBytes;
  for await (const planned of plan.blocks) {
    if (start >= end) return;
    const { sizeBytes } = planned.block;
    if (start + sizeBytes <= offset) {
      start += sizeBytes;
      continue;
    }
    const range = wantedPart(start, sizeBytes, offset, end);
    yield { pieces: readBlock(context, planned, { path, range, signal }), sizeBytes };
    start += sizeBytes;
  }
}

/** The part of the block [start, start + sizeBytes) that lies in [offset, end), counted from the block's start. */
function wantedPart(start: number, sizeBytes: number, offset: number, end: number): BlockRange {
  const from = Math.max(0, offset - start);
  return { offset: from, length: Math.min(sizeBytes, end - start) - from };
}

/** A bounded window of fetches, taken in order. A block counts until the reader comes back for the next one. */
class ReadAhead {
  readonly #fetches: AsyncGenerator<BlockOnItsWay>;
  readonly #window: BlockOnItsWay[] = [];
  #heldBytes = 0;
  #takenBytes = 0;
  #isExhausted = false;

  constructor(fetches: AsyncGenerator<BlockOnItsWay>) {
    this.#fetches = fetches;
  }

  async next(): Promise<readonly Uint8Array[] | undefined> {
    this.#heldBytes -= this.#takenBytes;
    this.#takenBytes = 0;
    await this.#fill();
    const block = this.#window.shift();
    if (block === undefined) return undefined;
    this.#takenBytes = block.sizeBytes;
    return block.pieces;
  }

  /** Blocks are of one size but for the last ones, which are smaller: the block before tells what the next may take. */
  async #fill(): Promise<void> {
    while (!this.#isExhausted && this.#window.length < MAX_BLOCKS_IN_FLIGHT) {
      const expected = this.#window.at(-1)?.sizeBytes ?? 0;
      if (this.#window.length > 0 && this.#heldBytes + expected > MAX_HELD_BYTES) return;
      const next = await this.#fetches.next();
      if (next.done === true) this.#isExhausted = true;
      else this.#hold(next.value);
    }
  }

  #hold(block: BlockOnItsWay): void {
    this.#window.push(block);
    this.#heldBytes += block.sizeBytes;
    // A failure is thrown when its turn comes; until then it must not count as unhandled.
    block.pieces.catch(() => {});
  }
}

function checkPosition(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw invalidArgument(name, value, 'a whole number of bytes, not negative');
}
