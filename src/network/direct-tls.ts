/**
 * @module TLS between two peers that share a key for this one connection, which they exchanged over Noise: no certificates.
 * ECDHE_PSK (RFC 5489) with ChaCha20-Poly1305 (RFC 7905): the key proves both ends, the exchange gives forward secrecy.
 */
import { constants, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createSecureContext, TLSSocket } from 'node:tls';
import { toHex } from '../common/bytes.ts';
import { brokenFrame } from './errors.ts';

/** Lets one socket in, once. */
export interface Invitation {
  /** 16 bytes in hex: the PSK identity. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

const ID_BYTES = 16;
const KEY_BYTES = 32;

/** Node offers pre-shared keys up to TLS 1.2 only; this suite has what 1.3 would bring: ephemeral keys and an AEAD. */
const SUITE = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const;

export function createInvitation(): Invitation {
  return { id: toHex(randomBytes(ID_BYTES)), key: randomBytes(KEY_BYTES) };
}

/** id | key, 48 bytes. For the ears of one peer only. */
export function encodeInvitation({ id, key }: Invitation): Uint8Array {
  return Buffer.concat([Buffer.from(id, 'hex'), key]);
}

/** NETWORK_BROKEN_FRAME unless there are 48 bytes. */
export function decodeInvitation(bytes: Uint8Array): Invitation {
  if (bytes.byteLength !== ID_BYTES + KEY_BYTES)
    throw brokenFrame(`an invitation of ${bytes.byteLength} bytes`);
  return { id: toHex(bytes.subarray(0, ID_BYTES)), key: bytes.slice(ID_BYTES) };
}

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
