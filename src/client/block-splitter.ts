/** @module Cuts a source into blocks and names each by its SHA-256, copying only what comes in crumbs. */
import { sha256Stream } from '../common/hashing.ts';
import { KIB } from '../common/bytes.ts';
import type { PutSource } from './client-options.ts';

/** One block as it is held until datanodes have it. */
export interface WholeBlock {
  /** SHA-256, 32 bytes. */
  readonly hash: Uint8Array;
  readonly sizeBytes: number;
  /** The bytes, in order; mostly views of the source's own chunks. */
  readonly pieces: readonly Uint8Array[];
}

export interface SourceBlock extends WholeBlock {
  /** Nothing follows it. */
  readonly isLast: boolean;
}

/** A shorter piece is worth copying: each piece costs a write. */
const CRUMB_BYTES: number = 64 * KIB;
/** Crumbs are gathered in buffers of this size. */
const GATHER_BYTES: number = 256 * KIB;
/** Hashing and sending go in steps of this size, so that neither holds up the event loop for long. */
const PIECE_BYTES: number = 1024 * KIB;

/**
 * Every block but the last has `blockSizeBytes`; an empty source has no block. A whole block waits for the next bytes, or
 * the end of the source, to be known as the last one or not.
 */
export async function* splitBlocks(source: PutSource, blockSizeBytes: number): AsyncGenerator<SourceBlock> {
  let gathering = new BlockGatherer();
  let whole: WholeBlock | undefined;
  for await (const chunk of source instanceof Uint8Array ? [source] : source) {
    for (let offset = 0; offset < chunk.byteLength; ) {
      if (whole !== undefined) yield { ...whole, isLast: false };
      whole = undefined;
      const room = Math.min(PIECE_BYTES, blockSizeBytes - gathering.sizeBytes);
      const piece = chunk.subarray(offset, offset + room);
      // A source that is one piece has no crumbs worth gathering.
      if (chunk === source) gathering.take(piece);
      else gathering.add(piece);
      offset += piece.byteLength;
      if (gathering.sizeBytes < blockSizeBytes) continue;
      whole = gathering.finish();
      gathering = new BlockGatherer();
    }
  }
  if (gathering.sizeBytes > 0) whole = gathering.finish();
  if (whole !== undefined) yield { ...whole, isLast: true };
}

class BlockGatherer {
  sizeBytes = 0;
  readonly #hash = sha256Stream();
  readonly #pieces: Uint8Array[] = [];
  #crumbs: Uint8Array | undefined;
  #crumbBytes = 0;

  add(piece: Uint8Array): void {
    if (piece.byteLength >= CRUMB_BYTES) return this.take(piece);
    this.#note(piece);
    this.#addCrumb(piece);
  }

  /** As it is, however small. */
  take(piece: Uint8Array): void {
    this.#note(piece);
    this.#closeCrumbs();
    this.#pieces.push(piece);
  }

  finish(): WholeBlock {
    this.#closeCrumbs();
    return { hash: this.#hash.digest(), sizeBytes: this.sizeBytes, pieces: this.#pieces };
  }

  #note(piece: Uint8Array): void {
    this.#hash.update(piece);
    this.sizeBytes += piece.byteLength;
  }

  #addCrumb(piece: Uint8Array): void {
    if (this.#crumbBytes + piece.byteLength > GATHER_BYTES) this.#closeCrumbs();
    this.#crumbs ??= new Uint8Array(GATHER_BYTES);
    this.#crumbs.set(piece, this.#crumbBytes);
    this.#crumbBytes += piece.byteLength;
  }

  #closeCrumbs(): void {
    if (this.#crumbs !== undefined) this.#pieces.push(this.#crumbs.subarray(0, this.#crumbBytes));
    this.#crumbs = undefined;
    this.#crumbBytes = 0;
  }
}
