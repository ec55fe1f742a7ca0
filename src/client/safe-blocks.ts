/** @module Blocks of one file that enough datanodes have, and that no file refers to yet: gathered until they are appended. */
import type { BlockRef } from '../namespace/schema.ts';
import type { Holder } from '../protocol/messages.ts';
import type { WrittenBlocks } from './retained-blocks.ts';

/** What became of one block. */
export interface SentBlock {
  /** Whoever took it. */
  readonly holders: readonly Holder[];
  /** In which it was written. */
  readonly era: number;
}

export class SafeBlocks {
  #blocks: BlockRef[] = [];
  /** The earliest in which one of them was written. */
  #era = Number.POSITIVE_INFINITY;
  /** Whoever took at least one of them, by number. */
  #holders = new Map<number, Holder>();

  get count(): number {
    return this.#blocks.length;
  }

  /** In the order of the file. */
  add({ hash, sizeBytes }: BlockRef, { holders, era }: SentBlock): void {
    this.#blocks.push({ hash, sizeBytes });
    this.#era = Math.min(this.#era, era);
    for (const holder of holders) this.#holders.set(holder.node, holder);
  }

  /** All that were gathered, to be referred to; what comes next is gathered anew. */
  async take(requiredCopies: () => Promise<number>): Promise<WrittenBlocks> {
    if (this.#blocks.length === 0) return { blocks: [], era: 0, requiredCopies: 0, writtenTo: [] };
    const taken = { blocks: this.#blocks, era: this.#era, writtenTo: [...this.#holders.values()] };
    this.#blocks = [];
    this.#era = Number.POSITIVE_INFINITY;
    this.#holders = new Map();
    return { ...taken, requiredCopies: await requiredCopies() };
  }
}
