/**
 * @module Memory for the pieces of blocks, used again and again: V8 traces its whole heap for each 64 MiB of new buffers that live for
 * longer than a moment, which took a client as much time as hashing.
 */
import { giveBack, KIB, MIB } from '../common/bytes.ts';

/** Of a piece. Hashing and sending go in steps of this size, so that neither holds up the event loop for long. */
export const PIECE_BYTES: number = 512 * KIB;
/** Kept at most, while nobody uses it. */
const MAX_SPARE_BYTES: number = 64 * MIB;

export class PieceMemory {
  readonly #spare: Uint8Array[] = [];
  #isClosed = false;

  /** PIECE_BYTES of whatever was there before. */
  take(): Uint8Array {
    return this.#spare.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(PIECE_BYTES).buffer);
  }

  /** `pieces`: each the beginning of what take() gave. Nobody may look at them afterwards. */
  free(pieces: readonly Uint8Array[]): void {
    for (const { buffer } of pieces) {
      const whole = new Uint8Array(buffer);
      if (this.#isClosed || this.#spare.length * PIECE_BYTES >= MAX_SPARE_BYTES) giveBack(whole);
      else this.#spare.push(whole);
    }
  }

  /** Nothing will be taken any more: what is spare, or freed later, is given back. */
  close(): void {
    this.#isClosed = true;
    for (const whole of this.#spare.splice(0)) giveBack(whole);
  }
}
