/**
 * @module TCP simultaneous open (RFC 9293 §3.5, RFC 5128 §3.4): two peers behind NAT dial each other at the same time, and to each
 * router what comes in looks like an answer. The local port has no listener, so no half of it can end up in the wrong hands.
 */
import { once } from 'node:events';
import { createServer, type Socket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SocketAddress } from './socket-address.ts';

/** After a refusal: the other side's router may not yet have seen its request. */
const RETRY_MS = 50;

/** A TCP port that nobody has, for a moment: the kernel does not hand it out again at once. */
export async function freePort(): Promise<number> {
  const server = createServer().listen({ port: 0, host: '0.0.0.0' });
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  if (bound === null || typeof bound === 'string') throw new TypeError('A TCP server has an IP address.');
  return bound.port;
}

/** Dials until it works; only `signal` ends it without a socket. The other side must do the same meanwhile. */
export async function punch(
  { host, port }: SocketAddress,
  localPort: number,
  signal: AbortSignal,
): Promise<Socket> {
  for (;;) {
    signal.throwIfAborted();
    const socket = connect({ host, port, localPort });
    try {
      await once(socket, 'connect', { signal });
      return socket;
    } catch {
      // Refused, or reset by a router: that says nothing of the next attempt.
      socket.on('error', () => undefined);
      socket.destroy();
    }
    await sleep(RETRY_MS, undefined, { signal });
  }
}
