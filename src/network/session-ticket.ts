/**
 * @module A ticket lets a peer that has proved over Noise who it is come back without that: the key of a TLS connection, and an
 * identity in which the issuer reads again whom it gave it to, so that it keeps nothing (as RFC 5077 does it). A command that
 * lasts for a tenth of a second then needs no libp2p.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { fromUtf8, utf8 } from '../common/bytes.ts';
import { brokenFrame } from './errors.ts';
import type { Invitation } from './invitation.ts';
import type { PeerId } from './network.ts';

export interface SessionTicket extends Invitation {
  /** From when it was received, in milliseconds. */
  readonly lifetimeMs: number;
}

/** To whom a ticket was issued, its key, and what is left of its life. */
export interface RedeemedTicket {
  readonly peer: PeerId;
  readonly key: Uint8Array;
  readonly lifeMs: number;
}

/** Whether the peer is a member is asked again each time; this only bounds how long a stolen profile is of use in place of its key. */
const LIFETIME_MS: number = 24 * 60 * 60 * 1000;
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const EXPIRY_BYTES = 8;
const LIFETIME_BYTES = 4;
/** Of an identity that TLS takes (PSK_MAX_IDENTITY_LEN of OpenSSL 3). */
const MAX_ID_BYTES = 256;

/** Issues tickets and reads them again. A restart of the process makes all of them worthless: their holders then come over Noise. */
export class TicketOffice {
  readonly #sealingKey = randomBytes(KEY_BYTES);
  readonly #derivingKey = randomBytes(KEY_BYTES);
  readonly #nowMs: () => number;

  /** `nowMs`: milliseconds since any moment, never going back. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  issue(peer: PeerId): SessionTicket {
    const nonce = randomBytes(NONCE_BYTES);
    const expiry = Buffer.alloc(EXPIRY_BYTES);
    expiry.writeDoubleBE(this.#nowMs() + LIFETIME_MS);
    const cipher = createCipheriv(CIPHER, this.#sealingKey, nonce);
    const sealed = [cipher.update(expiry), cipher.update(peer, 'utf8'), cipher.final()];
    const id = Buffer.concat([nonce, ...sealed, cipher.getAuthTag()]).toString('base64url');
    return { id, key: this.#keyOf(id), lifetimeMs: LIFETIME_MS };
  }

  /** Undefined for what this office did not issue, or too long ago. */
  redeem(id: string): RedeemedTicket | undefined {
    const bytes = Buffer.from(id, 'base64url');
    if (bytes.length < NONCE_BYTES + EXPIRY_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv(CIPHER, this.#sealingKey, bytes.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const opened = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
      decipher.final();
      const lifeMs = opened.readDoubleBE() - this.#nowMs();
      if (lifeMs < 0) return undefined;
      return { peer: fromUtf8(opened.subarray(EXPIRY_BYTES)), key: this.#keyOf(id), lifeMs };
    } catch {
      // Of an earlier run of this process, or of somebody's own making.
      return undefined;
    }
  }

  #keyOf(id: string): Uint8Array {
    return createHmac('sha256', this.#derivingKey).update(id).digest();
  }
}

/** Lifetime in seconds | key | id. For the ears of one peer only. */
export function encodeTicket({ id, key, lifetimeMs }: SessionTicket): Uint8Array {
  const lifetime = Buffer.alloc(LIFETIME_BYTES);
  lifetime.writeUInt32BE(Math.floor(lifetimeMs / 1000));
  return Buffer.concat([lifetime, key, utf8(id)]);
}

/** NETWORK_BROKEN_FRAME when there are too few bytes, or more than TLS could use. */
export function decodeTicket(bytes: Uint8Array): SessionTicket {
  const idBytes = bytes.byteLength - LIFETIME_BYTES - KEY_BYTES;
  if (idBytes <= 0 || idBytes > MAX_ID_BYTES) throw brokenFrame(`a ticket of ${bytes.byteLength} bytes`);
  const lifetimeMs = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) * 1000;
  const key = bytes.slice(LIFETIME_BYTES, LIFETIME_BYTES + KEY_BYTES);
  return { id: fromUtf8(bytes.subarray(LIFETIME_BYTES + KEY_BYTES)), key, lifetimeMs };
}
