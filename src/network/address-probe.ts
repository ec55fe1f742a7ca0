/**
 * @module "Under which address do you see me?", asked of a node with a public address from a port of one's own: the answer is where
 * the router maps that port to. One byte out, one line back, on the port that a node listens on anyway.
 */
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import type { SocketAddress } from './socket-address.ts';
import { brokenFrame } from './errors.ts';

/** '?': neither TLS nor libp2p begin with it. */
export const PROBE_BYTE = 0x3f;
const MAX_ANSWER_CHARACTERS = 64;
const MAPPED_IP4 = /^::ffff:(?=\d+\.)/;

/** Answers and closes, whether or not the other end does; the socket has sent PROBE_BYTE. */
export function answerProbe(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.write(`${socket.remoteAddress?.replace(MAPPED_IP4, '') ?? ''} ${socket.remotePort ?? ''}\n`);
  // It fits into the buffers of the system; a socket that waited for the other end would be open for as long as a stranger likes.
  socket.destroySoon();
}

/** Asks `node`. Throws NETWORK_BROKEN_FRAME for nonsense, and whatever the socket throws. */
export async function observedAddress(
  { host, port }: SocketAddress,
  localPort: number,
  signal: AbortSignal,
): Promise<SocketAddress> {
  signal.throwIfAborted();
  const socket = connect({ host, port, localPort, noDelay: true });
  const onAbort = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await once(socket, 'connect');
    socket.write(Uint8Array.of(PROBE_BYTE));
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.length > MAX_ANSWER_CHARACTERS) break;
    }
    return parseAnswer(text);
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

function parseAnswer(text: string): SocketAddress {
  const [host = '', digits = ''] = text.trim().split(' ');
  const port = Number(digits);
  if (isIP(host) === 0 || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw brokenFrame(`"${text.slice(0, MAX_ANSWER_CHARACTERS)}" in place of an observed address`);
  return { host, port };
}
