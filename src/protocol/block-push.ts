/** @module The sending end of a `block.write` channel: one block to a datanode, which passes it on along the chain. */
import { type Left, toHex } from '../common/bytes.ts';
import type { Clock } from '../common/clock.ts';
import { withDeadline } from '../common/deadline.ts';
import { describeError, isHoldfastError } from '../common/errors.ts';
import type { Channel, Network } from '../network/network.ts';
import { pushStalled, tooLongAnswer } from './errors.ts';
import { BlockWriteHeader, BlockWriteResponse, type CopyOutcome, type Holder } from './messages.ts';
import { BLOCK_WRITE_CHANNEL } from './methods.ts';

export interface BlockPushComponents {
  readonly network: Network;
  readonly clock: Clock;
}

/** What is sent; `chain` of the header is what comes after `target`. */
export interface BlockPushTask {
  readonly target: Holder;
  readonly header: BlockWriteHeader;
  readonly signal?: AbortSignal | undefined;
}

/** To reach the first datanode. */
const OPEN_TIMEOUT_MS = 5_000;
/**
 * Without credit for this long, times the datanodes in the chain, the push fails. The factor makes the hop next to a
 * silent node give up first, so that the blame falls on that node.
 */
const STALL_TIMEOUT_MS = 6_000;
/** From the last byte to the answer, times the datanodes in the chain: fsync and announcement of each. */
const ANSWER_TIMEOUT_MS = 12_000;
/** An answer is a few dozen bytes a node. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** The code of nodes that lost the block because a node before them failed: nothing is wrong with them. */
export const CHAIN_BROKEN = 'PROTOCOL_CHAIN_BROKEN';

/** Order: write()*, then finish() or abort(). Opening starts at once; its failure surfaces in write() or finish(). */
export class BlockPush {
  readonly #clock: Clock;
  readonly #task: BlockPushTask;
  readonly #hops: number;
  readonly #channel: Promise<Channel>;

  constructor({ network, clock }: BlockPushComponents, task: BlockPushTask) {
    this.#clock = clock;
    this.#task = task;
    this.#hops = 1 + task.header.chain.length;
    if (!network.isConnected(task.target.peer)) network.learn(task.target.peer, task.target.addresses);
    const header = BlockWriteHeader.encode(task.header).finish();
    const options = { timeoutMs: OPEN_TIMEOUT_MS, ...(task.signal && { signal: task.signal }) };
    this.#channel = network.open(task.target.peer, BLOCK_WRITE_CHANNEL, header, options);
    // Awaited by the first write; until then a failure must not count as unhandled.
    this.#channel.catch(() => {});
    task.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Resolves when the datanode has room for more. The bytes must not be changed before `left`, or before finish(). */
  async write(bytes: Uint8Array, left?: Left): Promise<void> {
    const channel = await this.#channel;
    await this.#within(STALL_TIMEOUT_MS, channel.write(bytes, left));
  }

  /** Ends the block and waits for what became of it: an outcome for the target and for each node of the chain. */
  async finish(): Promise<readonly CopyOutcome[]> {
    const channel = await this.#channel;
    const answer = (async () => {
      await channel.end();
      return BlockWriteResponse.decode(await readAll(channel)).copies;
    })();
    const copies = await this.#within(ANSWER_TIMEOUT_MS, answer);
    this.#task.signal?.removeEventListener('abort', this.#onAbort);
    return copies;
  }

  /** Gives the block up: nobody along the chain keeps anything that was not finished. */
  abort(error?: Error): void {
    this.#task.signal?.removeEventListener('abort', this.#onAbort);
    this.#channel.then(
      (channel) => channel.abort(error),
      () => {
        // It never opened, so there is nothing to end; whoever wrote has seen the failure.
      },
    );
  }

  readonly #onAbort = (): void => this.abort(this.#task.signal?.reason as Error);

  async #within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
    const limitMs = timeoutMs * this.#hops;
    const { target, header } = this.#task;
    try {
      return await withDeadline(this.#clock, limitMs, work, () =>
        pushStalled(toHex(header.hash), target.node, limitMs),
      );
    } catch (error) {
      this.abort(error as Error);
      throw error;
    }
  }
}

/** The outcomes of a push that failed as a whole: its target is to blame, the rest of the chain is not. */
export function failedOutcomes(
  target: Holder,
  chain: readonly Holder[],
  error: unknown,
): readonly CopyOutcome[] {
  const code = isHoldfastError(error) ? error.code : 'NETWORK_REMOTE_FAILED';
  const failed = { ok: false, announced: false, existed: false };
  return [
    { ...failed, node: target.node, code, message: describeError(error) },
    ...chain.map(({ node }) => ({
      ...failed,
      node,
      code: CHAIN_BROKEN,
      message: `Datanode ${target.node} before it in the chain failed.`,
    })),
  ];
}

async function readAll(channel: Channel): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of channel) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > MAX_ANSWER_BYTES) throw tooLongAnswer(channel.peer, MAX_ANSWER_BYTES);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
