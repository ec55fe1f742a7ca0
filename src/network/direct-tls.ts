/**
 * @module TLS between two peers that share a key for this one connection, which they exchanged over Noise: no certificates.
 * The id of their invitation is the PSK identity. ECDHE_PSK (RFC 5489) with ChaCha20-Poly1305 (RFC 7905): the key proves both ends, the exchange gives forward secrecy.
 */
import { constants } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createSecureContext, TLSSocket } from 'node:tls';
import type { Invitation } from './invitation.ts';
import type { SocketAddress } from './socket-address.ts';

/** Of a TLS handshake record (RFC 5246 §6.2.1). */
export const TLS_FIRST_BYTE = 22;

/** Node offers pre-shared keys up to TLS 1.2 only; this suite has what 1.3 would bring: ephemeral keys and an AEAD. */
const SUITE = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const;

/** Resolves once the other end has proved that it knows the key. */
export async function dialTls(
  { host, port }: SocketAddress,
  { id, key }: Invitation,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const socket = connect({
    ...SUITE,
    host,
    port,
    pskCallback: () => ({ psk: key, identity: id }),
    // There is no certificate to hold against a name.
    checkServerIdentity: () => undefined,
  });
  return secured(socket, 'secureConnect', signal);
}

/** `keyOf` is asked once, with the identity that the other end claims. Resolves once that end has proved that it knows the key. */
export function acceptTls(
  socket: Socket,
  keyOf: (id: string) => Uint8Array | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  const options = {
    isServer: true,
    secureContext: createSecureContext({ ...SUITE, secureOptions: constants.SSL_OP_NO_RENEGOTIATION }),
    pskCallback: (_socket: TLSSocket, identity: string) => keyOf(identity) ?? null,
  };
  return secured(new TLSSocket(socket, options), 'secure', signal);
}

async function secured(socket: TLSSocket, event: string, signal: AbortSignal): Promise<Socket> {
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    // Whatever else goes wrong with a socket that is given up is of no interest.
    socket.on('error', () => undefined);
    socket.destroy();
    throw error;
  }
}
