/** @module A message as SHA-256 takes it: its bytes, then what FIPS 180-4 §5.1.1 adds. */
import { BLOCK_BYTES } from './sha256-lanes-code.ts';

const LENGTH_BYTES = 8;

/** Whole blocks of a message of this length, padding included, in bytes. */
export function paddedBytes(sizeBytes: number): number {
  return Math.ceil((sizeBytes + 1 + LENGTH_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
}

/** The bytes of a message and what follows them: 1, zeros, the length in bits. Read once, from the start. */
export class PaddedMessage {
  readonly #pieces: readonly Uint8Array[];
  #next = 0;
  #offset = 0;

  constructor(pieces: readonly Uint8Array[], sizeBytes: number) {
    const tail = Buffer.alloc(paddedBytes(sizeBytes) - sizeBytes);
    tail.writeUInt8(0x80, 0);
    tail.writeBigUInt64BE(BigInt(sizeBytes) * 8n, tail.length - LENGTH_BYTES);
    this.#pieces = [...pieces, tail];
  }

  /** Fills `target`; there are always as many bytes. */
  read(target: Uint8Array): void {
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
