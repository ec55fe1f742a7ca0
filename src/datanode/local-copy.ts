/** @module The copy of an arriving block that stays here. Its failure is an outcome, never an interruption of the chain. */
import { type Left, toHex } from '../common/bytes.ts';
import type { Clock } from '../common/clock.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import { sha256Stream } from '../common/hashing.ts';
import type { Logger } from '../common/logger.ts';
import type { CopyOutcome } from '../protocol/messages.ts';
import type { BlockOrigin, BlockStore, NewBlock } from '../storage/block-store.ts';
import type { BlockIndexer } from './block-indexer.ts';
import { checkCopy } from './copy-check.ts';
import { hashMismatch, takenOut } from './errors.ts';

export interface LocalCopyComponents {
  readonly blocks: BlockStore;
  readonly indexer: BlockIndexer;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a copy in the making can do; the block store's writer is one. */
interface Copy {
  write(bytes: Uint8Array, left?: Left): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/** Order: write()*, then finish() or abort(). None of them throws. */
export class LocalCopy {
  readonly #components: LocalCopyComponents;
  readonly #node: number;
  readonly #block: NewBlock;
  readonly #also: readonly BlockOrigin[];
  #existed = false;
  readonly #copy: Promise<Copy>;
  #failure: unknown;

  /** `also`: further origins that the sender knows. */
  constructor(
    components: LocalCopyComponents,
    node: number,
    block: NewBlock,
    also: readonly BlockOrigin[] = [],
  ) {
    this.#components = components;
    this.#node = node;
    this.#block = block;
    this.#also = also;
    this.#copy = this.#open();
    this.#copy.catch((error: unknown) => this.#fail(error));
  }

  /** A copy that is here already is worth an acknowledgement only if it can be read; a rotten one makes room for the new one. */
  async #open(): Promise<Copy> {
    const { blocks } = this.#components;
    const { hash } = this.#block;
    if (blocks.has(hash)) await checkCopy(this.#components, hash);
    if (!blocks.has(hash)) return blocks.create(this.#block);
    this.#existed = true;
    return new Comparison(blocks, this.#block);
  }

  /** Resolves when more may come. */
  async write(bytes: Uint8Array, left?: Left): Promise<void> {
    await this.#attempt((copy) => copy.write(bytes, left));
  }

  /** Verified, durable and announced, or the reason why not. */
  async finish(): Promise<CopyOutcome> {
    await this.#attempt(async (copy) => {
      await copy.commit();
      for (const origin of this.#also) await this.#components.blocks.describe(this.#block.hash, origin);
    });
    const outcome = { node: this.#node, existed: this.#existed };
    if (this.#failure !== undefined) {
      const code = isHoldfastError(this.#failure) ? this.#failure.code : 'STORAGE_FAILED';
      return { ...outcome, ok: false, code, message: describeError(this.#failure), announced: false };
    }
    const announced = await this.#components.indexer.announce(this.#block.hash);
    return { ...outcome, ok: true, code: '', message: '', announced };
  }

  /** Nothing of it stays. */
  async abort(): Promise<void> {
    await this.#attempt((copy) => copy.abort());
  }

  /** After a failure the rest of the block passes by, on its way along the chain. */
  async #attempt(step: (copy: Copy) => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await step(await this.#copy);
    } catch (error) {
      this.#fail(error);
      // A writer that never opened, or whose disk failed, has already reported more than its clean-up could.
      await this.#copy.then((copy) => copy.abort()).catch(() => {});
    }
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error ?? new Error('unknown failure');
    const { logger } = this.#components;
    logger.warn('datanode.copy-failed', { hash: this.#block.hash, error: describeError(error) });
  }
}

/** Stands in for a writer where the block is held already: the bytes that come must be that block; only what they belong to is kept. */
class Comparison implements Copy {
  readonly #blocks: BlockStore;
  readonly #wanted: NewBlock;
  readonly #hash = sha256Stream();

  constructor(blocks: BlockStore, wanted: NewBlock) {
    this.#blocks = blocks;
    this.#wanted = wanted;
  }

  async write(bytes: Uint8Array, left?: Left): Promise<void> {
    this.#hash.update(bytes);
    left?.();
  }

  async commit(): Promise<void> {
    const { hash, origin } = this.#wanted;
    const got = toHex(this.#hash.digest());
    if (got !== hash) throw hashMismatch(hash, got);
    if (!this.#blocks.has(hash)) throw takenOut(hash);
    await this.#blocks.describe(hash, origin);
  }

  async abort(): Promise<void> {}
}
