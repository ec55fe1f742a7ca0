/** @module A part of a block on its way from one datanode. */
import type { BlockRange } from './block-range.ts';
import { withDeadline } from '../common/deadline.ts';
import type { Channel } from '../network/network.ts';
import { BlockReadHeader, type Holder } from '../protocol/messages.ts';
import { BLOCK_READ_CHANNEL } from '../protocol/methods.ts';
import type { ClientContext } from './client-context.ts';
import { readStalled } from './errors.ts';

const OPEN_TIMEOUT_MS = 5_000;
/** Silence of a datanode in the middle of a block after which it is given up, in milliseconds. */
const STALL_TIMEOUT_MS = 6_000;

/** Opens at once. Order: (next(), taken())*, then end() or abort(). */
export class PieceStream {
  readonly holder: Holder;
  readonly #context: ClientContext;
  readonly #channel: Promise<Channel>;
  readonly #openedMs: number;
  /** From the same datanode, this one included, when it opened. */
  readonly #reads: number;
  #pieces: AsyncIterator<Uint8Array> | undefined;
  #pending: Promise<Uint8Array | undefined> | undefined;
  #isHeard = false;
  #isOver = false;

  constructor(
    context: ClientContext,
    hash: Uint8Array,
    holder: Holder,
    range: BlockRange,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.holder = holder;
    this.#openedMs = context.clock.monotonicMs();
    this.#reads = context.readTimes.began(holder.node);
    if (!context.network.isConnected(holder.peer)) context.network.learn(holder.peer, holder.addresses);
    const header = BlockReadHeader.encode({ hash, ...range }).finish();
    const options = { signal, timeoutMs: OPEN_TIMEOUT_MS };
    this.#channel = context.network.open(holder.peer, BLOCK_READ_CHANNEL, header, options);
    // Awaited by next(); one that loses the race for the first piece is never asked again.
    this.#channel.catch(() => {});
  }

  /** The next bytes, undefined at the end. The same promise until taken(), so that waiting for it may be broken off. */
  next(): Promise<Uint8Array | undefined> {
    this.#pending ??= this.#read();
    return this.#pending;
  }

  taken(): void {
    this.#pending = undefined;
  }

  async end(): Promise<void> {
    this.#over();
    await (await this.#channel).end();
  }

  /** Gives the rest up. One that nothing was heard of counts as slow. Never throws. */
  abort(error: Error): void {
    this.#over();
    if (!this.#isHeard) this.#noteWait();
    this.#pending?.catch(() => {});
    this.#channel.then(
      (channel) => channel.abort(error),
      () => {
        // It never opened.
      },
    );
  }

  #over(): void {
    if (!this.#isOver) this.#context.readTimes.ended(this.holder.node);
    this.#isOver = true;
  }

  async #read(): Promise<Uint8Array | undefined> {
    const channel = await this.#channel;
    this.#pieces ??= channel[Symbol.asyncIterator]();
    const next = await withDeadline(this.#context.clock, STALL_TIMEOUT_MS, this.#pieces.next(), () =>
      readStalled(this.holder.node, STALL_TIMEOUT_MS),
    );
    if (!this.#isHeard) this.#noteWait();
    this.#isHeard = true;
    return next.done === true ? undefined : next.value;
  }

  #noteWait(): void {
    const { clock, readTimes } = this.#context;
    readTimes.note(this.holder.node, clock.monotonicMs() - this.#openedMs, this.#reads);
  }
}
