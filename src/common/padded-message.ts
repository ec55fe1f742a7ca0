/** @module A message as SHA-256 takes it while it arrives: its bytes, then what FIPS 180-4 §5.1.1 adds. */
import { BLOCK_BYTES } from './sha256-lanes-code.ts';

const LENGTH_BYTES = 8;

/** Read once, from the start. */
export class PaddedMessage {
  readonly #sizeBytes: number;
  readonly #pieces: Uint8Array[] = [];
  #arrivedBytes = 0;
  #readBytes = 0;
  /** Where the next byte to be read is. */
  #next = 0;
  #offset = 0;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  /** As they came, without what is added. */
  get pieces(): readonly Uint8Array[] {
    return this.isWhole ? this.#pieces.slice(0, -1) : this.#pieces;
  }

  get isWhole(): boolean {
    return this.#arrivedBytes > this.#sizeBytes;
  }

  /** Bytes that may be read now; in the end whole blocks. */
  get readableBytes(): number {
    return this.#arrivedBytes - this.#readBytes;
  }

  /** Where in its buffer the byte that read() begins with lies. */
  get nextOffset(): number {
    return (this.#pieces[this.#next]?.byteOffset ?? 0) + this.#offset;
  }

  /** The next bytes, which must not change any more. Of an empty message: call it with none. */
  add(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#arrivedBytes += piece.byteLength;
    if (this.#arrivedBytes !== this.#sizeBytes) return;
    const tail = paddingOf(this.#sizeBytes);
    this.#pieces.push(tail);
    this.#arrivedBytes += tail.byteLength;
  }

  /** Fills `target`, which has at most readableBytes. */
  read(target: Uint8Array): void {
    this.#readBytes += target.byteLength;
    for (let filled = 0; filled < target.byteLength; ) {
      const piece = this.#pieces[this.#next] as Uint8Array;
      const part = piece.subarray(this.#offset, this.#offset + target.byteLength - filled);
      target.set(part, filled);
      filled += part.byteLength;
      this.#offset += part.byteLength;
      if (this.#offset < piece.byteLength) continue;
      this.#next += 1;
      this.#offset = 0;
    }
  }
}

/** A bit that is set, zeros up to a whole block, and the length in bits. */
function paddingOf(sizeBytes: number): Uint8Array {
  const paddedBytes = Math.ceil((sizeBytes + 1 + LENGTH_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
  const tail = Buffer.alloc(paddedBytes - sizeBytes);
  tail.writeUInt8(0x80, 0);
  tail.writeBigUInt64BE(BigInt(sizeBytes) * 8n, tail.length - LENGTH_BYTES);
  return tail;
}
