/** @module Reads a socket into memory of the reader's choice: otherwise Node makes a buffer of 64 KiB for every read. */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

/** Where the bytes of a socket go. */
export interface SocketTarget {
  /** Where the next bytes go; never empty. Asked for before each read. */
  room(): Uint8Array;
  /** So many bytes were put there. */
  took(sizeBytes: number): void;
}

/** For the option `onread` of a socket that is made to be read like this. */
export function readsInto(target: SocketTarget): OnReadOpts {
  return {
    buffer: () => target.room(),
    callback: (sizeBytes) => {
      target.took(sizeBytes);
      return true;
    },
  };
}

/** What we know of a socket of Node's (net.js); only a socket that is being made can be told where to read to. */
interface HandledSocket {
  _handle: object | null;
}

/**
 * The socket to go on with in the place of `socket`, which came from a server and must not be used again. Another version
 * of Node may differ: then it is the same one, only slower.
 */
export function readOnInto(socket: Socket, target: SocketTarget): Socket {
  const handled = socket as unknown as HandledSocket;
  const handle = handled._handle;
  if (handle === null || typeof handle !== 'object') {
    socket.on('data', (chunk) => copyInto(target, chunk));
    return socket;
  }
  // Without its handle nothing happens to the connection when the old socket ends.
  handled._handle = null;
  socket.destroy();
  const options = { handle, onread: readsInto(target) };
  return new Socket(options as SocketConstructorOpts);
}

function copyInto(target: SocketTarget, chunk: Uint8Array): void {
  for (let from = 0; from < chunk.byteLength; ) {
    const room = target.room();
    const part = chunk.subarray(from, from + room.byteLength);
    room.set(part);
    from += part.byteLength;
    target.took(part.byteLength);
  }
}
