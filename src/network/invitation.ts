/** @module What lets one socket in, once: a key that two peers share because one of them told the other over Noise. */
import { randomBytes } from 'node:crypto';
import { toHex } from '../common/bytes.ts';
import { brokenFrame } from './errors.ts';

/** Made by the peer that will accept the socket, whichever of the two asked for it. */
export interface Invitation {
  /** 16 bytes in hex. */
  readonly id: string;
  /** 32 bytes, for this socket only. */
  readonly key: Uint8Array;
}

export const INVITATION_ID_BYTES = 16;
const KEY_BYTES = 32;

export function createInvitation(): Invitation {
  return { id: toHex(randomBytes(INVITATION_ID_BYTES)), key: randomBytes(KEY_BYTES) };
}

/** id | key, 48 bytes. For the ears of one peer only. */
export function encodeInvitation({ id, key }: Invitation): Uint8Array {
  return Buffer.concat([Buffer.from(id, 'hex'), key]);
}

/** NETWORK_BROKEN_FRAME unless there are 48 bytes. */
export function decodeInvitation(bytes: Uint8Array): Invitation {
  if (bytes.byteLength !== INVITATION_ID_BYTES + KEY_BYTES)
    throw brokenFrame(`an invitation of ${bytes.byteLength} bytes`);
  return {
    id: toHex(bytes.subarray(0, INVITATION_ID_BYTES)),
    key: bytes.slice(INVITATION_ID_BYTES),
  };
}
