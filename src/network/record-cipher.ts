/**
 * @module Sealed records, the units in which bulk crosses a socket: u32 length of the text | text under AES-256-GCM | tag of 16 bytes.
 *
 * Each direction has keys of its own and counts its records: the count is the nonce, so a record that is lost, repeated, moved or
 * changed does not open. The length is authenticated with the text. After 2^16 records, at most 24 GiB, the next key takes over:
 * far below where AES-GCM begins to wear out (2^36 bytes and more; NIST SP 800-38D §8.3, RFC 8446 §5.5).
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { KIB } from '../common/bytes.ts';
import { brokenFrame } from './errors.ts';

/** Of text in one record: a frame of 256 KiB, and the small ones that leave with it. */
export const MAX_RECORD_TEXT_BYTES: number = 384 * KIB;
export const RECORD_HEADER_BYTES = 4;
export const TAG_BYTES = 16;

const CIPHER = 'aes-256-gcm';
const OPTIONS = { authTagLength: TAG_BYTES } as const;
const SECRET_BYTES = 32;
const RECORDS_PER_KEY = 2 ** 16;
/** Below this one copy is cheaper than a gathered write. */
const JOIN_BYTES: number = 16 * KIB;

export interface RecordOptions {
  /** Both ends must agree; for tests. */
  readonly recordsPerKey?: number;
}

/** Keys and nonces of one direction, none of them twice. */
class RecordKeys {
  #secret: Uint8Array;
  #key: KeyObject;
  #count = 0;
  readonly #nonce = Buffer.alloc(12);
  readonly #recordsPerKey: number;

  constructor(secret: Uint8Array, { recordsPerKey = RECORDS_PER_KEY }: RecordOptions) {
    this.#secret = secret;
    this.#key = keyOf(secret);
    this.#recordsPerKey = recordsPerKey;
  }

  /** The nonce is valid until the next call. */
  next(): { readonly key: KeyObject; readonly nonce: Uint8Array } {
    if (this.#count > 0 && this.#count % this.#recordsPerKey === 0) {
      this.#secret = expand(this.#secret, 'next secret');
      this.#key = keyOf(this.#secret);
    }
    this.#nonce.writeBigUInt64BE(BigInt(this.#count), 4);
    this.#count += 1;
    return { key: this.#key, nonce: this.#nonce };
  }
}

export class RecordSealer {
  readonly #keys: RecordKeys;

  /** `secret`: 32 bytes, for this direction of this connection only. */
  constructor(secret: Uint8Array, options: RecordOptions = {}) {
    this.#keys = new RecordKeys(secret, options);
  }

  /** The record around `pieces`, at most MAX_RECORD_TEXT_BYTES together, in parts to be sent in this order. */
  seal(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    const textBytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    const header = Buffer.allocUnsafe(RECORD_HEADER_BYTES);
    header.writeUInt32BE(textBytes);
    const { key, nonce } = this.#keys.next();
    const cipher = createCipheriv(CIPHER, key, nonce, OPTIONS).setAAD(header);
    const parts: Uint8Array[] = [header];
    for (const piece of pieces) parts.push(cipher.update(piece));
    cipher.final();
    parts.push(cipher.getAuthTag());
    return textBytes < JOIN_BYTES ? [Buffer.concat(parts)] : parts;
  }
}

export class RecordOpener {
  readonly #keys: RecordKeys;

  /** `secret`: as the other end's sealer has it. */
  constructor(secret: Uint8Array, options: RecordOptions = {}) {
    this.#keys = new RecordKeys(secret, options);
  }

  /** The text, in a buffer of its own. NETWORK_BROKEN_FRAME unless it is the very record that comes next. */
  open(record: Uint8Array): Uint8Array {
    const { key, nonce } = this.#keys.next();
    const textEnd = record.byteLength - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, key, nonce, OPTIONS)
      .setAAD(record.subarray(0, RECORD_HEADER_BYTES))
      .setAuthTag(record.subarray(textEnd));
    const text = decipher.update(record.subarray(RECORD_HEADER_BYTES, textEnd));
    try {
      decipher.final();
    } catch (cause) {
      throw brokenFrame('a record that the other end did not seal, or not in this place', cause);
    }
    return text;
  }
}

/** A key or secret of 32 bytes from `secret`, by HKDF (RFC 5869), another for each `purpose`. */
export function expand(
  secret: Uint8Array,
  purpose: string,
  salt: Uint8Array = new Uint8Array(0),
): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, salt, `holdfast record: ${purpose}`, SECRET_BYTES));
}

function keyOf(secret: Uint8Array): KeyObject {
  return createSecretKey(expand(secret, 'key'));
}
