/** @module The bytes of a libp2p stream. */
import type { Stream } from '@libp2p/interface';
import { Uint8ArrayList } from 'uint8arraylist';
import type { ByteStream, ByteStreamListener } from './byte-stream.ts';
import { disconnected } from './errors.ts';
import { spareWindowUpdates } from './window-updates.ts';

/** Told how many bytes were sent or received. */
export type ByteMeter = (sizeBytes: number) => void;

export class Libp2pBytes implements ByteStream {
  readonly copies = false;
  readonly #stream: Stream;
  readonly #meter: ByteMeter | undefined;
  #listener: ByteStreamListener | undefined;
  #closed: { readonly cause: unknown } | undefined;

  constructor(stream: Stream, meter?: ByteMeter) {
    this.#stream = stream;
    this.#meter = meter;
    spareWindowUpdates(stream);
    stream.addEventListener('drain', () => this.#listener?.drained());
    stream.addEventListener('close', ({ error }) => this.#close(error));
    stream.addEventListener('remoteCloseWrite', () => {
      const cause = disconnected(stream.id, 'a closed stream');
      this.#close(cause);
      stream.abort(cause);
    });
  }

  listen(listener: ByteStreamListener): void {
    this.#listener = listener;
    if (this.#closed !== undefined) return listener.closed(this.#closed.cause);
    // From here on libp2p hands over what it kept for the first listener.
    this.#stream.addEventListener('message', ({ data }) => {
      this.#meter?.(data.byteLength);
      if (data instanceof Uint8Array) listener.bytes(data);
      else for (const chunk of data) listener.bytes(chunk);
    });
  }

  send(pieces: readonly Uint8Array[]): boolean {
    const bytes = new Uint8ArrayList(...pieces);
    this.#meter?.(bytes.byteLength);
    return this.#stream.send(bytes);
  }

  pause(): void {
    if (this.#isReadable()) this.#stream.pause();
  }

  resume(): void {
    if (this.#isReadable()) this.#stream.resume();
  }

  abort(cause: Error): void {
    this.#stream.abort(cause);
  }

  async close(signal: AbortSignal): Promise<void> {
    await this.#stream.close({ signal });
  }

  #close(cause: unknown): void {
    this.#closed ??= { cause };
    this.#listener?.closed(cause);
  }

  #isReadable(): boolean {
    return this.#stream.readStatus === 'readable' || this.#stream.readStatus === 'paused';
  }
}
