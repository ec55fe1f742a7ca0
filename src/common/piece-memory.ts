/**
 * @module Memory for the pieces of blocks, used again and again: V8 traces its whole heap for each 64 MiB of new buffers that live for
 * longer than a moment, which took a client as much time as hashing, and the system clears each of them.
 */
import { giveBack, MIB } from './bytes.ts';

/** Kept at most, while nobody uses it. */
const DEFAULT_SPARE_BYTES: number = 64 * MIB;

export interface PieceMemoryOptions {
  readonly pieceBytes: number;
  /** Kept at most, while nobody uses it; 64 MiB when absent. */
  readonly spareBytes?: number;
}

export class PieceMemory {
  readonly #pieceBytes: number;
  readonly #spareBytes: number;
  readonly #spare: Uint8Array[] = [];
  /** What take() gave, for as long as somebody has it. */
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #isClosed = false;

  constructor({ pieceBytes, spareBytes = DEFAULT_SPARE_BYTES }: PieceMemoryOptions) {
    this.#pieceBytes = pieceBytes;
    this.#spareBytes = spareBytes;
  }

  /** So many bytes of whatever was there before. */
  take(): Uint8Array {
    const piece = this.#spare.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(this.#pieceBytes).buffer);
    this.#lent.add(piece.buffer);
    return piece;
  }

  /** As free(), of anything: false, and nothing happens, when `piece` is no part of what take() gave, or was freed before. */
  takeBack(piece: Uint8Array): boolean {
    const isOurs = this.#lent.has(piece.buffer);
    if (isOurs) this.free([piece]);
    return isOurs;
  }

  /** `pieces`: each the beginning of what take() gave. Nobody may look at them afterwards. */
  free(pieces: readonly Uint8Array[]): void {
    for (const { buffer } of pieces) {
      this.#lent.delete(buffer);
      const whole = new Uint8Array(buffer);
      if (this.#isClosed || this.#spare.length * this.#pieceBytes >= this.#spareBytes) giveBack(whole);
      else this.#spare.push(whole);
    }
  }

  /** Nothing will be taken any more: what is spare, or freed later, is given back. */
  close(): void {
    this.#isClosed = true;
    for (const whole of this.#spare.splice(0)) giveBack(whole);
  }
}
