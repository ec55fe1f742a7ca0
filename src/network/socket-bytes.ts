/** @module The bytes of a socket that is one stream, such as a direct connection. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { ByteStream, ByteStreamListener } from './byte-stream.ts';
import { disconnected } from './errors.ts';
import type { PeerId } from './network.ts';

export class SocketBytes implements ByteStream {
  readonly #socket: Socket;
  readonly #peer: PeerId;
  #listener: ByteStreamListener | undefined;

  /** The socket is connected, and paused or not yet read. */
  constructor(socket: Socket, peer: PeerId) {
    this.#socket = socket;
    this.#peer = peer;
    socket.setNoDelay(true);
    socket.on('drain', () => this.#listener?.drained());
    socket.on('error', (error) => this.#listener?.closed(error));
    socket.on('close', () => this.#listener?.closed(this.#ended()));
    socket.on('end', () => socket.destroy(this.#ended()));
  }

  listen(listener: ByteStreamListener): void {
    this.#listener = listener;
    const socket = this.#socket;
    if (socket.destroyed) return listener.closed(socket.errored ?? this.#ended());
    socket.on('data', (chunk) => listener.bytes(chunk));
  }

  send(pieces: readonly Uint8Array[]): boolean {
    if (!this.#socket.writable) throw this.#socket.errored ?? this.#ended();
    let hasRoom = true;
    // Not corked: TLS would join the pieces to one, and copy them for it.
    for (const piece of pieces) hasRoom = this.#socket.write(piece);
    return hasRoom;
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
