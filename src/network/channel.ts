/** @module A byte channel inside a stream, with credit: a slow reader stops its own writer and nobody else. */
import { HoldfastError } from '../common/errors.ts';
import { KIB, type Left, MIB } from '../common/bytes.ts';
import { aborted, brokenFrame, encodeError, toHoldfastError } from './errors.ts';
import { FrameKind } from './frame.ts';
import type { Channel, PeerId } from './network.ts';
import type { ReceiveBudget } from './receive-budget.ts';
import type { FrameStream } from './transport.ts';

/** What a writer may send before any credit came: part of the protocol. */
export const INITIAL_WINDOW_BYTES: number = 1 * MIB;
/** What a reader adds once data flows and its budget allows: 4 MiB in flight fill 40 MB/s at 100 ms. */
export const EXTRA_WINDOW_BYTES: number = 3 * MIB;
/** Credit is returned in steps of this many bytes, so that it costs little. */
const CREDIT_STEP_BYTES: number = 512 * KIB;
/** One frame of one channel: long enough to be cheap, short enough to let others in between. */
const CHUNK_BYTES: number = 256 * KIB;
const NO_BYTES = new Uint8Array(0);

export interface ChannelComponents {
  readonly stream: FrameStream;
  readonly budget: ReceiveBudget;
  /** Called once when both directions are over. */
  readonly closed: () => void;
}

export interface ChannelOptions {
  readonly peer: PeerId;
  readonly id: number;
  readonly method: string;
}

interface PendingWrite {
  bytes: Uint8Array;
  readonly last: boolean;
  readonly left?: Left | undefined;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Either end of a channel. Its session feeds it frames through receive… and fail. */
export class StreamChannel implements Channel {
  readonly peer: PeerId;
  readonly #stream: FrameStream;
  readonly #budget: ReceiveBudget;
  readonly #closed: () => void;
  readonly #id: number;
  readonly #method: string;

  #credit = INITIAL_WINDOW_BYTES;
  readonly #writes: PendingWrite[] = [];
  #waitsForStream = false;
  #localEnded = false;

  #windowLeft = INITIAL_WINDOW_BYTES;
  #hasExtraWindow = false;
  #owedCredit = 0;
  readonly #received: Uint8Array[] = [];
  #remoteEnded = false;
  #discards = false;
  #wakeReader: (() => void) | undefined;

  #failure: Error | undefined;
  #isClosed = false;
  /** Made when somebody asks for the signal: hardly any channel's is looked at. */
  #abortion: AbortController | undefined;

  constructor(components: ChannelComponents, options: ChannelOptions) {
    this.#stream = components.stream;
    this.#budget = components.budget;
    this.#closed = components.closed;
    this.peer = options.peer;
    this.#id = options.id;
    this.#method = options.method;
  }

  /** Fires when the channel fails or is aborted by either side. */
  get signal(): AbortSignal {
    if (this.#abortion === undefined) {
      this.#abortion = new AbortController();
      if (this.#failure !== undefined) this.#abortion.abort(this.#failure);
    }
    return this.#abortion.signal;
  }

  write(bytes: Uint8Array, left?: Left): Promise<void> {
    if (bytes.byteLength === 0 && this.#failure === undefined) return Promise.resolve(left?.());
    return this.#enqueue(bytes, false, left);
  }

  end(): Promise<void> {
    return this.#localEnded && this.#failure === undefined
      ? Promise.resolve()
      : this.#enqueue(NO_BYTES, true);
  }

  abort(error?: Error): void {
    if (this.#isClosed) return;
    const reason = error ?? aborted(this.peer, this.#method);
    const wire = encodeError(
      reason instanceof HoldfastError ? reason : toHoldfastError(reason, this.peer, this.#method),
    );
    this.#stream.send(FrameKind.abort, this.#id, 0, NO_BYTES, wire);
    this.fail(reason);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const piece = this.#received.shift();
      if (piece !== undefined) {
        // Asked now: whoever is done with a piece may give its memory back.
        const { byteLength } = piece;
        try {
          yield piece;
        } finally {
          this.#returnCredit(byteLength);
        }
      } else if (this.#remoteEnded) return;
      else await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    }
  }

  /** The handler is done: end writing, and let the peer write to the void rather than wait for ever. */
  finish(): void {
    this.#discards = true;
    let unread = 0;
    for (const piece of this.#received.splice(0)) unread += piece.byteLength;
    if (unread > 0) this.#returnCredit(unread);
    // A rejection means that the channel failed, and then there is nothing left to end.
    if (!this.#localEnded && this.#failure === undefined) this.end().catch(() => {});
  }

  receiveData(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#windowLeft -= bytes.byteLength;
    if (this.#windowLeft < 0 || this.#remoteEnded) {
      this.abort(brokenFrame('channel data beyond its credit or after its end'));
    } else if (this.#discards) {
      this.#returnCredit(bytes.byteLength);
    } else {
      this.#received.push(bytes);
      this.#widenWindow();
      this.#wake();
    }
  }

  receiveCredit(sizeBytes: number): void {
    this.#credit += sizeBytes;
    this.#pump();
  }

  receiveEnd(): void {
    this.#remoteEnded = true;
    this.#wake();
    this.#maybeClose();
  }

  /** Ends both directions here, without telling the peer. */
  fail(error: Error): void {
    if (this.#isClosed) return;
    this.#failure = error;
    this.#received.length = 0;
    for (const write of this.#writes.splice(0)) write.reject(error);
    this.#close();
    this.#wake();
    this.#abortion?.abort(error);
  }

  #enqueue(bytes: Uint8Array, last: boolean, left?: Left): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#localEnded)
      return Promise.reject(aborted(this.peer, this.#method, new Error('write after end()')));
    this.#localEnded = last;
    return new Promise((resolve, reject) => {
      this.#writes.push({ bytes, last, left, resolve, reject });
      this.#pump();
    });
  }

  #pump(): void {
    for (let write = this.#writes[0]; write !== undefined && !this.#waitsForStream; write = this.#writes[0]) {
      if (!write.last && this.#credit === 0) return;
      if (!this.#stream.writable) return this.#waitForStream();
      this.#sendPart(write);
    }
  }

  #waitForStream(): void {
    this.#waitsForStream = true;
    this.#stream.onceWritable(() => {
      this.#waitsForStream = false;
      const write = this.#writes[0];
      // One chunk a turn: #pump then queues behind the other channels that wait.
      if (write !== undefined && (write.last || this.#credit > 0)) this.#sendPart(write);
      this.#pump();
    });
  }

  /** A send that fails means a closed stream: fail() follows and settles the write. */
  #sendPart(write: PendingWrite): void {
    if (write.last) {
      if (!this.#stream.send(FrameKind.end, this.#id, 0, NO_BYTES, NO_BYTES)) return;
    } else {
      const partBytes = Math.min(CHUNK_BYTES, this.#credit, write.bytes.byteLength);
      const part = write.bytes.subarray(0, partBytes);
      const rest = write.bytes.subarray(partBytes);
      const left = rest.byteLength === 0 ? write.left : undefined;
      if (!this.#stream.send(FrameKind.data, this.#id, 0, NO_BYTES, part, left)) return;
      this.#credit -= partBytes;
      write.bytes = rest;
      if (rest.byteLength > 0) return;
    }
    this.#writes.shift();
    write.resolve();
    if (write.last) this.#maybeClose();
  }

  #returnCredit(sizeBytes: number): void {
    this.#owedCredit += sizeBytes;
    if (this.#owedCredit >= CREDIT_STEP_BYTES) this.#sendCredit();
  }

  #widenWindow(): void {
    if (this.#hasExtraWindow || !this.#budget.take(EXTRA_WINDOW_BYTES)) return;
    this.#hasExtraWindow = true;
    this.#owedCredit += EXTRA_WINDOW_BYTES;
    this.#sendCredit();
  }

  #sendCredit(): void {
    if (this.#isClosed || this.#remoteEnded) return;
    this.#stream.send(FrameKind.credit, this.#id, this.#owedCredit, NO_BYTES, NO_BYTES);
    this.#windowLeft += this.#owedCredit;
    this.#owedCredit = 0;
  }

  #wake(): void {
    const wake = this.#wakeReader;
    this.#wakeReader = undefined;
    wake?.();
  }

  #maybeClose(): void {
    if (this.#localEnded && this.#writes.length === 0 && this.#remoteEnded) this.#close();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#hasExtraWindow) this.#budget.giveBack(EXTRA_WINDOW_BYTES);
    this.#closed();
  }
}
