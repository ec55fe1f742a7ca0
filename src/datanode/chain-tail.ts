/** @module The rest of the chain, as seen from one datanode. Its failure is an outcome, never an interruption. */
import type { Left } from '../common/bytes.ts';
import { describeError } from '../common/errors.ts';
import { BlockPush, type BlockPushComponents, failedOutcomes } from '../protocol/block-push.ts';
import type { BlockWriteHeader, CopyOutcome } from '../protocol/messages.ts';
import type { Logger } from '../common/logger.ts';

export interface ChainTailComponents extends BlockPushComponents {
  readonly logger: Logger;
}

/** Order: write()*, then finish() or abort(). None of them throws. */
export class ChainTail {
  readonly #logger: Logger;
  readonly #chain: BlockWriteHeader['chain'];
  readonly #push: BlockPush | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** Opens the channel to the first datanode of `header.chain` at once, if there is one. */
  constructor(components: ChainTailComponents, header: BlockWriteHeader) {
    this.#logger = components.logger;
    this.#chain = header.chain;
    const [target, ...rest] = header.chain;
    if (target !== undefined)
      this.#push = new BlockPush(components, { target, header: { ...header, chain: rest } });
  }

  /** Resolves when the next datanode has room for more. */
  async write(bytes: Uint8Array, left?: Left): Promise<void> {
    if (this.#push === undefined || this.#failure !== undefined) return left?.();
    try {
      await this.#push.write(bytes, left);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** One outcome for each datanode of the chain, in its order. */
  async finish(): Promise<readonly CopyOutcome[]> {
    const [target, ...rest] = this.#chain;
    if (this.#push === undefined || target === undefined) return [];
    if (this.#failure === undefined) {
      try {
        return await this.#push.finish();
      } catch (error) {
        this.#fail(error);
      }
    }
    return failedOutcomes(target, rest, this.#failure?.error);
  }

  abort(error: Error): void {
    this.#push?.abort(error);
  }

  #fail(error: unknown): void {
    this.#failure = { error };
    this.#push?.abort(error as Error);
    const [target] = this.#chain;
    this.#logger.warn('datanode.chain-broken', { next: target?.node, error: describeError(error) });
  }
}
