/** @module The block writer of both stores: verifies what streams by, and leaves nothing behind unless it is right. */
import type { Left } from '../common/bytes.ts';
import { BlockDigest } from './block-digest.ts';
import type { BlockWriter, NewBlock } from './block-store.ts';
import { hashMismatch, writerEnded } from './errors.ts';

/** Where a store puts the bytes of one block. */
export interface BlockSink {
  write(bytes: Uint8Array, left?: Left): Promise<void>;
  /** All bytes are written and verified: makes the block durable and visible. */
  publish(crcs: readonly number[]): Promise<void>;
  /** Drops what was written. Also called after a failure of the others. */
  discard(): Promise<void>;
}

export interface WriterHooks {
  /** Turns what a sink threw into the error for the caller. */
  readonly explain: (error: unknown) => unknown;
  /** Called exactly once, when the writer has ended in whatever way. */
  readonly ended: (writer: BlockWriter) => void;
}

export class StreamingBlockWriter implements BlockWriter {
  readonly #block: NewBlock;
  readonly #sink: BlockSink;
  readonly #hooks: WriterHooks;
  readonly #digest = new BlockDigest();
  #ended = false;
  #committing: Promise<void> | undefined;

  constructor(block: NewBlock, sink: BlockSink, hooks: WriterHooks) {
    this.#block = block;
    this.#sink = sink;
    this.#hooks = hooks;
  }

  async write(bytes: Uint8Array, left?: Left): Promise<void> {
    this.#assertOpen();
    try {
      this.#digest.update(bytes);
      const { sizeBytes } = this.#digest;
      if (sizeBytes > this.#block.sizeBytes)
        throw hashMismatch(this.#block.hash, `${this.#block.sizeBytes} bytes`, `at least ${sizeBytes} bytes`);
      await this.#sink.write(bytes, left);
    } catch (error) {
      return this.#fail(error);
    }
  }

  async commit(): Promise<void> {
    this.#assertOpen();
    this.#committing = this.#publish();
    await this.#committing;
  }

  /** Too late once commit() was called: then it waits for that to end, one way or the other. */
  async abort(): Promise<void> {
    if (this.#committing !== undefined) return void (await Promise.allSettled([this.#committing]));
    await this.#drop();
  }

  async #publish(): Promise<void> {
    try {
      await this.#sink.publish(this.#digest.finish(this.#block));
    } catch (error) {
      return this.#fail(error);
    }
    this.#end();
  }

  /** A disk that failed may not let go of what was written either: that is cleared away at the next start, and the first error says more. */
  async #fail(error: unknown): Promise<never> {
    const failure = this.#hooks.explain(error);
    await this.#drop().catch(() => {});
    throw failure;
  }

  async #drop(): Promise<void> {
    if (this.#ended) return;
    this.#end();
    await this.#sink.discard();
  }

  #assertOpen(): void {
    if (this.#ended || this.#committing !== undefined) throw writerEnded(this.#block.hash);
  }

  #end(): void {
    this.#ended = true;
    this.#hooks.ended(this);
  }
}
