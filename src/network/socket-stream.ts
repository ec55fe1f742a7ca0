/** @module What streams of bytes over a socket have in common: how they are listened to, held up and ended. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { ByteStream, ByteStreamListener } from './byte-stream.ts';
import { disconnected } from './errors.ts';
import type { PeerId } from './network.ts';

/** The end of the socket is never the end of data: frames tell that. */
export abstract class SocketStream implements ByteStream {
  abstract readonly copies: boolean;
  protected readonly socket: Socket;
  readonly #peer: PeerId;
  #listener: ByteStreamListener | undefined;

  /** The socket is connected, and paused or not yet read. */
  constructor(socket: Socket, peer: PeerId) {
    this.socket = socket;
    this.#peer = peer;
    socket.on('drain', () => this.#listener?.drained());
    socket.on('error', (error) => this.#listener?.closed(error));
    socket.on('close', () => this.#listener?.closed(this.#ended()));
    socket.on('end', () => socket.destroy(this.#ended()));
  }

  listen(listener: ByteStreamListener): void {
    this.#listener = listener;
    if (this.socket.destroyed) listener.closed(this.socket.errored ?? this.#ended());
    else this.begin();
  }

  abstract send(pieces: readonly Uint8Array[]): boolean;

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  abort(cause: Error): void {
    this.socket.destroy(cause);
  }

  async close(signal: AbortSignal): Promise<void> {
    if (this.socket.destroyed) return;
    this.socket.end();
    await once(this.socket, 'close', { signal });
  }

  /** Somebody listens now, and the socket is open. */
  protected abstract begin(): void;

  /** Bytes that came; none do before begin(). */
  protected received(bytes: Uint8Array): void {
    this.#listener?.bytes(bytes);
  }

  /** Throws why nothing can be sent any more. */
  protected assertWritable(): void {
    if (!this.socket.writable) throw this.socket.errored ?? this.#ended();
  }

  #ended(): Error {
    return disconnected(this.#peer, 'a closed connection');
  }
}
