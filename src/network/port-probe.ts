/** @module Whether somebody listens at an address, by the word of the system there: a process that is busy keeps nobody else waiting for that. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { SocketAddress } from './socket-address.ts';

/** Opens a TCP connection and closes it. False when nobody took it before `signal` fired. */
export async function isListening({ host, port }: SocketAddress, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal });
    return true;
  } catch {
    // Why not is of no interest: it is not there.
    return false;
  } finally {
    socket.on('error', () => undefined);
    socket.destroy();
  }
}
