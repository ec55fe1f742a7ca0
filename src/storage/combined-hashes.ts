/** @module A set of blocks as 36 bytes that follow each change at once: how many, and all their hashes combined by exclusive or. */
import { type BlockHash, HASH_SIZE_BYTES } from '../common/hashing.ts';

const WORD_BYTES: number = Uint32Array.BYTES_PER_ELEMENT;
/** The hash being combined, by words. */
const words = new Uint32Array(HASH_SIZE_BYTES / WORD_BYTES);
const bytes: Buffer = Buffer.from(words.buffer);

export class CombinedHashes {
  readonly #words = new Uint32Array(HASH_SIZE_BYTES / WORD_BYTES);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** All zero of no block. A view: it changes with the set. */
  get hash(): Uint8Array {
    return new Uint8Array(this.#words.buffer);
  }

  /** Counts a block in that was not. */
  add(hash: BlockHash): void {
    this.#count += 1;
    this.#combine(hash);
  }

  /** Takes out a block that was counted in. */
  delete(hash: BlockHash): void {
    this.#count -= 1;
    this.#combine(hash);
  }

  #combine(hash: BlockHash): void {
    bytes.write(hash, 'hex');
    for (let at = 0; at < words.length; at += 1) this.#words[at] = (this.#words[at] ?? 0) ^ (words[at] ?? 0);
  }
}
