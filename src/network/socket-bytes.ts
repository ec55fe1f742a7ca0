/** @module The bytes of a socket that is one stream, such as a direct connection. */
import type { Socket } from 'node:net';
import type { PeerId } from './network.ts';
import { SocketStream } from './socket-stream.ts';

export class SocketBytes extends SocketStream {
  readonly copies = false;

  /** The socket is connected, and paused or not yet read. */
  constructor(socket: Socket, peer: PeerId) {
    super(socket, peer);
    socket.setNoDelay(true);
  }

  send(pieces: readonly Uint8Array[]): boolean {
    this.assertWritable();
    let hasRoom = true;
    // Not corked: TLS would join the pieces to one, and copy them for it.
    for (const piece of pieces) hasRoom = this.socket.write(piece);
    return hasRoom;
  }

  protected begin(): void {
    this.socket.on('data', (chunk) => this.received(chunk));
  }
}
