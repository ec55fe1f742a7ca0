/** @module Cuts what a socket reads into records and opens them: read where they are opened, so nothing is copied. */
import { KIB } from '../common/bytes.ts';
import { brokenFrame } from './errors.ts';
import { MAX_RECORD_TEXT_BYTES, RECORD_HEADER_BYTES, type RecordOpener, TAG_BYTES } from './record-cipher.ts';

/** Enough for calls; a connection that carries bulk grows beyond it while it does. */
const SMALL_BYTES: number = 16 * KIB;
const LARGE_BYTES: number = RECORD_HEADER_BYTES + MAX_RECORD_TEXT_BYTES + TAG_BYTES + RECORD_HEADER_BYTES;

/** Order: (room(), read what fits into it, took())*. */
export class RecordReader {
  readonly #opener: RecordOpener;
  readonly #listener: (text: Uint8Array) => void;
  #buffer: Buffer = Buffer.allocUnsafeSlow(SMALL_BYTES);
  #filledBytes = 0;

  /** `listener` gets the text of each record, which is its own from then on. */
  constructor(opener: RecordOpener, listener: (text: Uint8Array) => void) {
    this.#opener = opener;
    this.#listener = listener;
  }

  /** Where the next bytes go; never empty. Not beyond a record that is begun and the header after it, to have nothing to move. */
  room(): Uint8Array {
    const wanted = this.#recordBytes();
    const end = wanted === undefined ? this.#buffer.length : wanted + RECORD_HEADER_BYTES;
    return this.#buffer.subarray(this.#filledBytes, Math.min(end, this.#buffer.length));
  }

  /** `sizeBytes` were put at the beginning of room(). NETWORK_BROKEN_FRAME when they belong to no record. */
  took(sizeBytes: number): void {
    const isAlone = this.#filledBytes === 0;
    this.#filledBytes += sizeBytes;
    let from = 0;
    for (let size = this.#recordBytes(from); size !== undefined; size = this.#recordBytes(from)) {
      if (from + size > this.#filledBytes) break;
      const text = this.#opener.open(this.#buffer.subarray(from, from + size));
      from += size;
      this.#listener(text);
    }
    this.#moveToFront(from);
    this.#fit(isAlone && this.#filledBytes === 0 && sizeBytes <= SMALL_BYTES);
  }

  /** Of the record that begins at `from`; undefined while its header is not there. */
  #recordBytes(from = 0): number | undefined {
    if (this.#filledBytes - from < RECORD_HEADER_BYTES) return undefined;
    const textBytes = this.#buffer.readUInt32BE(from);
    if (textBytes > MAX_RECORD_TEXT_BYTES)
      throw brokenFrame(`a record of ${textBytes} bytes, limit ${MAX_RECORD_TEXT_BYTES}`);
    return RECORD_HEADER_BYTES + textBytes + TAG_BYTES;
  }

  #moveToFront(from: number): void {
    if (from === 0) return;
    this.#buffer.copyWithin(0, from, this.#filledBytes);
    this.#filledBytes -= from;
  }

  /** Room for the record that is begun; none to spare once nothing large comes any more. */
  #fit(isQuiet: boolean): void {
    const isLarge = this.#buffer.length === LARGE_BYTES;
    const needsLarge = (this.#recordBytes() ?? 0) + RECORD_HEADER_BYTES > SMALL_BYTES;
    if (isLarge ? !isQuiet : !needsLarge) return;
    const other = Buffer.allocUnsafeSlow(needsLarge ? LARGE_BYTES : SMALL_BYTES);
    this.#buffer.copy(other, 0, 0, this.#filledBytes);
    this.#buffer = other;
  }
}
