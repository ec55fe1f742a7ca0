/**
 * @module The bytes of a block from several datanodes in turn: who is late is asked along with the next one, and who fails in
 * the middle is followed by another where it stopped.
 */
import type { Timer } from '../common/clock.ts';
import type { Holder } from '../protocol/messages.ts';
import { toHex } from '../common/bytes.ts';
import type { ClientContext } from './client-context.ts';
import { overtaken, wrongLength } from './errors.ts';
import { PieceStream } from './piece-stream.ts';
import type { BlockRange } from './block-range.ts';

export interface FetchTask {
  readonly hash: Uint8Array;
  readonly range: BlockRange;
  /** In the order in which they are asked. */
  readonly holders: readonly Holder[];
  readonly signal: AbortSignal;
  /** In order. */
  readonly onPiece: (piece: Uint8Array) => void;
  readonly onFailure: (holder: Holder, error: unknown) => void;
}

export interface Fetched {
  readonly pieces: readonly Uint8Array[];
  /** Who sent them. */
  readonly sources: readonly Holder[];
}

type Event =
  | { readonly kind: 'piece'; readonly stream: PieceStream; readonly piece: Uint8Array | undefined }
  | { readonly kind: 'failed'; readonly stream: PieceStream; readonly error: unknown }
  | { readonly kind: 'late' };

/** Undefined when every holder has failed; each failure was told. Throws the signal's reason. */
export async function fetchHedged(context: ClientContext, task: FetchTask): Promise<Fetched | undefined> {
  const { signal } = task;
  const fetching = new HedgedFetch(context, task);
  const onAbort = (): void => fetching.stop(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await fetching.run();
  } finally {
    signal.removeEventListener('abort', onAbort);
    fetching.stop(overtaken());
  }
}

class HedgedFetch {
  readonly #context: ClientContext;
  readonly #task: FetchTask;
  readonly #waiting: Holder[];
  /** One, or two after the first was late. All stand at the same byte. */
  #streams: PieceStream[] = [];
  readonly #pieces: Uint8Array[] = [];
  readonly #sources = new Set<Holder>();
  #receivedBytes = 0;

  constructor(context: ClientContext, task: FetchTask) {
    this.#context = context;
    this.#task = task;
    this.#waiting = [...task.holders];
  }

  async run(): Promise<Fetched | undefined> {
    const { range, signal, onFailure } = this.#task;
    while (this.#receivedBytes < range.length) {
      if (this.#streams.length === 0 && !this.#openNext()) return undefined;
      const event = await this.#nextEvent();
      signal.throwIfAborted();
      if (event.kind === 'late') this.#openNext();
      else {
        const failure = event.kind === 'failed' ? event.error : this.#take(event.stream, event.piece);
        if (failure === undefined) continue;
        this.#streams = this.#streams.filter((stream) => stream !== event.stream);
        event.stream.abort(failure as Error);
        onFailure(event.stream.holder, failure);
      }
    }
    // The last piece is here: how the channel ends matters to nobody but the datanode.
    for (const stream of this.#streams.splice(0)) void stream.end().catch(() => {});
    return { pieces: this.#pieces, sources: [...this.#sources] };
  }

  stop(reason: Error): void {
    for (const stream of this.#streams) stream.abort(reason);
  }

  #openNext(): boolean {
    const holder = this.#waiting.shift();
    if (holder === undefined) return false;
    const { hash, range, signal } = this.#task;
    const rest = { offset: range.offset + this.#receivedBytes, length: range.length - this.#receivedBytes };
    this.#streams.push(new PieceStream(this.#context, hash, holder, rest, signal));
    return true;
  }

  async #nextEvent(): Promise<Event> {
    const { clock, readTimes } = this.#context;
    let timer: Timer | undefined;
    const events = this.#streams.map((stream) =>
      stream.next().then(
        (piece): Event => ({ kind: 'piece', stream, piece }),
        (error: unknown): Event => ({ kind: 'failed', stream, error }),
      ),
    );
    if (this.#streams.length === 1 && this.#waiting.length > 0) {
      const late = new Promise<Event>((resolve) => {
        timer = clock.after(readTimes.hedgeMs, () => resolve({ kind: 'late' }));
      });
      events.push(late);
    }
    try {
      return await Promise.race(events);
    } finally {
      timer?.cancel();
    }
  }

  /** Why the piece is wrong, or undefined. The other stream has lost: it stands where nobody is any more. */
  #take(stream: PieceStream, piece: Uint8Array | undefined): Error | undefined {
    const { hash, range, onPiece } = this.#task;
    const bytes = piece?.byteLength ?? 0;
    const gotBytes = this.#receivedBytes + bytes;
    if (piece === undefined || gotBytes > range.length)
      return wrongLength(toHex(hash), stream.holder.node, range.length, gotBytes);
    stream.taken();
    this.#pieces.push(piece);
    onPiece(piece);
    this.#receivedBytes = gotBytes;
    this.#sources.add(stream.holder);
    for (const other of this.#streams)
      if (other !== stream) {
        other.abort(overtaken());
        this.#waiting.push(other.holder);
      }
    this.#streams = [stream];
    return undefined;
  }
}
