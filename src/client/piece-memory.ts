/**
 * @module Memory for the pieces of blocks, used again and again: V8 traces its whole heap for each 64 MiB of new buffers that live for
 * longer than a moment, which took a client as much time as hashing.
 */
import { giveBack, MIB } from '../common/bytes.ts';

/** Kept at most, while nobody uses it. */
const MAX_SPARE_BYTES: number = 64 * MIB;

export class PieceMemory {
  readonly #pieceBytes: number;
  readonly #spare: Uint8Array[] = [];
  /** What take() gave, for as long as somebody has it. */
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #isClosed = false;

  constructor({ pieceBytes }: { readonly pieceBytes: number }) {
    this.#pieceBytes = pieceBytes;
  }

  /** So many bytes of whatever was there before. */
  take(): Uint8Array {
    const piece = this.#spare.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(this.#pieceBytes).buffer);
    this.#lent.add(piece.buffer);
    return piece;
  }

  /** Whether `piece` is a part of what take() gave and free() has not got back. */
  owns(piece: Uint8Array): boolean {
    return this.#lent.has(piece.buffer);
  }

  /** `pieces`: each the beginning of what take() gave. Nobody may look at them afterwards. */
  free(pieces: readonly Uint8Array[]): void {
    for (const { buffer } of pieces) {
      this.#lent.delete(buffer);
      const whole = new Uint8Array(buffer);
      if (this.#isClosed || this.#spare.length * this.#pieceBytes >= MAX_SPARE_BYTES) giveBack(whole);
      else this.#spare.push(whole);
    }
  }

  /** Nothing will be taken any more: what is spare, or freed later, is given back. */
  close(): void {
    this.#isClosed = true;
    for (const whole of this.#spare.splice(0)) giveBack(whole);
  }
}
