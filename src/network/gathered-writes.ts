/** @module One system call for all that is written to a connection in one turn: libp2p writes piece by piece. */

/** What we know of a TCP connection (@libp2p/tcp, socket-to-conn.js). */
interface SocketConnection {
  readonly socket: CorkableSocket;
  sendData: (data: never) => unknown;
}

/** The part of net.Socket that this needs. */
export interface CorkableSocket {
  cork(): void;
  uncork(): void;
}

/**
 * From now on what one turn writes leaves together. Noise writes the two bytes of a message's length apart from the
 * message: each of our messages was two packets, and woke the reader twice.
 */
export function gatherWrites(connection: object): void {
  if (!isSocketConnection(connection)) return;
  const { socket } = connection;
  const send = connection.sendData.bind(connection);
  let isCorked = false;
  const release = (): void => {
    isCorked = false;
    socket.uncork();
  };
  connection.sendData = (data) => {
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      // Runs once the promises of this turn are through, and so are the flushes of our other streams.
      process.nextTick(release);
    }
    return send(data);
  };
}

/** Another version of the library may differ: then it works as before, only slower. */
function isSocketConnection(connection: object): connection is SocketConnection {
  const { socket, sendData } = connection as Partial<SocketConnection>;
  return typeof sendData === 'function' && typeof socket?.cork === 'function';
}
