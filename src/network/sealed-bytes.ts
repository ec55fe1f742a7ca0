/** @module The bytes of a socket that carries sealed records: a connection of its own for bulk. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { ByteStream, ByteStreamListener } from './byte-stream.ts';
import { disconnected } from './errors.ts';
import type { PeerId } from './network.ts';
import { MAX_RECORD_TEXT_BYTES, type RecordSealer } from './record-cipher.ts';

/** The end of the socket is never the end of data: frames tell that, sealed as all else. So nobody can cut data short unnoticed. */
export class SealedBytes implements ByteStream {
  readonly #socket: Socket;
  readonly #sealer: RecordSealer;
  readonly #early: readonly Uint8Array[];
  readonly #peer: PeerId;
  #listener: ByteStreamListener | undefined;

  /** `socket` is paused. What it reads comes through receive(), but for `early`, what was read before. */
  constructor(socket: Socket, sealer: RecordSealer, early: readonly Uint8Array[], peer: PeerId) {
    this.#socket = socket;
    this.#sealer = sealer;
    this.#early = early;
    this.#peer = peer;
    socket.on('drain', () => this.#listener?.drained());
    socket.on('error', (error) => this.#listener?.closed(error));
    socket.on('close', () => this.#listener?.closed(this.#ended()));
    socket.on('end', () => socket.destroy(this.#ended()));
  }

  /** The text of a record that came; none does before listen(). */
  receive(text: Uint8Array): void {
    this.#listener?.bytes(text);
  }

  listen(listener: ByteStreamListener): void {
    this.#listener = listener;
    if (this.#socket.destroyed) return listener.closed(this.#socket.errored ?? this.#ended());
    for (const text of this.#early) listener.bytes(text);
    this.#socket.resume();
  }

  send(pieces: readonly Uint8Array[]): boolean {
    if (!this.#socket.writable) throw this.#socket.errored ?? this.#ended();
    let hasRoom = true;
    this.#socket.cork();
    for (const text of recordsOf(pieces))
      for (const part of this.#sealer.seal(text)) hasRoom = this.#socket.write(part);
    this.#socket.uncork();
    return hasRoom && !this.#socket.writableNeedDrain;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  abort(cause: Error): void {
    this.#socket.destroy(cause);
  }

  async close(signal: AbortSignal): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#socket.end();
    await once(this.#socket, 'close', { signal });
  }

  #ended(): Error {
    return disconnected(this.#peer, 'a closed connection');
  }
}

/** As few records as the pieces fit into; only a piece that is longer than a record is cut. */
function* recordsOf(pieces: readonly Uint8Array[]): Generator<Uint8Array[]> {
  let record: Uint8Array[] = [];
  let sizeBytes = 0;
  for (const piece of pieces)
    for (let from = 0; from < piece.byteLength; ) {
      const part = piece.subarray(from, from + MAX_RECORD_TEXT_BYTES);
      if (sizeBytes > 0 && sizeBytes + part.byteLength > MAX_RECORD_TEXT_BYTES) {
        yield record;
        record = [];
        sizeBytes = 0;
      }
      record.push(part);
      sizeBytes += part.byteLength;
      from += part.byteLength;
    }
  if (sizeBytes > 0) yield record;
}
