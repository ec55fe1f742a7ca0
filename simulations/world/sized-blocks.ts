/** @module Blocks by their hashes, and how many bytes they take together: counted as they come and go, never added up. */
import type { BlockHash } from '../../src/common/hashing.ts';

export class SizedBlocks<Block> {
  readonly #sizeOf: (block: Block) => number;
  readonly #blocks = new Map<BlockHash, Block>();
  #bytes = 0;

  /** `sizeOf` always says the same of one block. */
  constructor(sizeOf: (block: Block) => number) {
    this.#sizeOf = sizeOf;
  }

  /** Of all, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#blocks.size;
  }

  hashes(): readonly BlockHash[] {
    return [...this.#blocks.keys()];
  }

  all(): readonly Block[] {
    return [...this.#blocks.values()];
  }

  get(hash: BlockHash): Block | undefined {
    return this.#blocks.get(hash);
  }

  /** In the place of one of this hash, if there is any. */
  set(hash: BlockHash, block: Block): void {
    this.#release(hash);
    this.#blocks.set(hash, block);
    this.#bytes += this.#sizeOf(block);
  }

  delete(hash: BlockHash): void {
    this.#release(hash);
    this.#blocks.delete(hash);
  }

  clear(): void {
    this.#blocks.clear();
    this.#bytes = 0;
  }

  #release(hash: BlockHash): void {
    const block = this.#blocks.get(hash);
    if (block !== undefined) this.#bytes -= this.#sizeOf(block);
  }
}
