/** @module Cuts a source into blocks and names each by its SHA-256. */
import { KIB } from '../common/bytes.ts';
import { sha256Stream } from '../common/hashing.ts';
import { PieceMemory } from '../common/piece-memory.ts';
import type { PutSource } from './client-options.ts';

/** Hashing and sending go in steps of this size, so that neither holds up the event loop for long. */
const PIECE_BYTES: number = 512 * KIB;

/** One block as it is held until datanodes have it. */
export interface WholeBlock {
  /** SHA-256, 32 bytes. */
  readonly hash: Uint8Array;
  readonly sizeBytes: number;
  /** The bytes, in order. */
  readonly pieces: readonly Uint8Array[];
}

export interface SourceBlock extends WholeBlock {
  /** Nothing follows it. */
  readonly isLast: boolean;
  /** To be called when nobody will look at the pieces again: later blocks are written over them. */
  readonly free: () => void;
}

type BlockBeforeNext = Omit<SourceBlock, 'isLast'>;

/**
 * Every block but the last has `blockSizeBytes`; an empty source has no block. A whole block waits for the next bytes, or
 * the end of the source, to be known as the last one or not. Chunks are copied; a source that is one piece is not.
 */
export async function* splitBlocks(source: PutSource, blockSizeBytes: number): AsyncGenerator<SourceBlock> {
  const memory = source instanceof Uint8Array ? undefined : new PieceMemory({ pieceBytes: PIECE_BYTES });
  let gathering = new BlockGatherer(blockSizeBytes, memory);
  let whole: BlockBeforeNext | undefined;
  for await (const chunk of source instanceof Uint8Array ? [source] : source) {
    for (let offset = 0; offset < chunk.byteLength; ) {
      if (whole !== undefined) yield { ...whole, isLast: false };
      whole = undefined;
      offset += gathering.take(chunk.subarray(offset));
      if (gathering.sizeBytes < blockSizeBytes) continue;
      whole = gathering.finish();
      gathering = new BlockGatherer(blockSizeBytes, memory);
    }
  }
  if (gathering.sizeBytes > 0) whole = gathering.finish();
  memory?.close();
  if (whole !== undefined) yield { ...whole, isLast: true };
}

class BlockGatherer {
  sizeBytes = 0;
  readonly #blockSizeBytes: number;
  /** Where chunks are copied to; without it the pieces are views of the source. */
  readonly #memory: PieceMemory | undefined;
  readonly #hash = sha256Stream();
  readonly #pieces: Uint8Array[] = [];
  /** The last piece, and how much of it is filled. */
  #open: Uint8Array | undefined;
  #openBytes = 0;

  constructor(blockSizeBytes: number, memory: PieceMemory | undefined) {
    this.#blockSizeBytes = blockSizeBytes;
    this.#memory = memory;
  }

  /** Says how many of the bytes it took: at least one, and no more than a piece of the block. */
  take(bytes: Uint8Array): number {
    const room = Math.min(PIECE_BYTES, this.#blockSizeBytes - this.sizeBytes);
    const part = bytes.subarray(0, room);
    const taken = this.#memory === undefined ? this.#keep(part) : this.#copy(part, this.#memory);
    this.sizeBytes += taken;
    return taken;
  }

  finish(): BlockBeforeNext {
    this.#close();
    const pieces = this.#pieces;
    const free = (): void => this.#memory?.free(pieces);
    return { hash: this.#hash.digest(), sizeBytes: this.sizeBytes, pieces, free };
  }

  #keep(part: Uint8Array): number {
    this.#add(part);
    return part.byteLength;
  }

  #copy(part: Uint8Array, memory: PieceMemory): number {
    this.#open ??= memory.take();
    const fitting = part.subarray(0, PIECE_BYTES - this.#openBytes);
    this.#open.set(fitting, this.#openBytes);
    this.#openBytes += fitting.byteLength;
    if (this.#openBytes === PIECE_BYTES) this.#close();
    return fitting.byteLength;
  }

  #close(): void {
    if (this.#open !== undefined) this.#add(this.#open.subarray(0, this.#openBytes));
    this.#open = undefined;
    this.#openBytes = 0;
  }

  #add(piece: Uint8Array): void {
    this.#hash.update(piece);
    this.#pieces.push(piece);
  }
}
