/** @module What is computed of a block while it streams by: its SHA-256, its size, a CRC32C per 64 KiB. */
import { toHex } from '../common/bytes.ts';
import { crc32c, sha256Stream } from '../common/hashing.ts';
import { CRC_RANGE_BYTES } from './block-file.ts';
import type { BlockInfo } from './block-info.ts';
import { hashMismatch } from './errors.ts';

export class BlockDigest {
  readonly #hash = sha256Stream();
  readonly #crcs: number[] = [];
  #crc = 0;
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    let from = 0;
    while (from < bytes.length) {
      const room = CRC_RANGE_BYTES - (this.#sizeBytes % CRC_RANGE_BYTES);
      const part = bytes.subarray(from, from + room);
      this.#crc = crc32c(part, this.#crc);
      this.#sizeBytes += part.length;
      from += part.length;
      if (part.length === room) this.#endRange();
    }
  }

  /** Ends the block; call once. Returns its CRCs, or throws STORAGE_HASH_MISMATCH when it is not `block`. */
  finish(block: BlockInfo): readonly number[] {
    if (this.#sizeBytes !== block.sizeBytes)
      throw hashMismatch(block.hash, `${block.sizeBytes} bytes`, `${this.#sizeBytes} bytes`);
    const got = toHex(this.#hash.digest());
    if (got !== block.hash) throw hashMismatch(block.hash, `SHA-256 ${block.hash}`, `SHA-256 ${got}`);
    if (this.#sizeBytes % CRC_RANGE_BYTES !== 0) this.#endRange();
    return this.#crcs;
  }

  #endRange(): void {
    this.#crcs.push(this.#crc);
    this.#crc = 0;
  }
}
