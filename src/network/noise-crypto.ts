/**
 * @module The cryptography of Noise. ChaCha20-Poly1305 has its key prepared once: Node otherwise converts it anew for every 64 KiB.
 * Keys are derived by OpenSSL: a command makes one handshake, in which the library's JavaScript is not compiled yet.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { ICryptoInterface } from '@chainsafe/libp2p-noise';
import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto';
import { KIB } from '../common/bytes.ts';

const CIPHER = 'chacha20-poly1305';
const TAG_BYTES = 16;
const HASH_BYTES = 32;
const NO_INFO = new Uint8Array(0);
/** Below this the library's WebAssembly is faster than a call into OpenSSL. */
const SMALL_BYTES: number = 1 * KIB;

const keyObjects = new WeakMap<Uint8Array, KeyObject>();

/** Noise keeps one key array per connection and direction until it ends. */
function keyObject(key: Uint8Array): KeyObject {
  let known = keyObjects.get(key);
  if (known === undefined) {
    known = createSecretKey(key);
    keyObjects.set(key, known);
  }
  return known;
}

export const noiseCrypto: ICryptoInterface = {
  ...defaultCrypto,

  /** Noise §4.3: three outputs, the chaining key as salt. */
  getHKDF(chainingKey, material) {
    const output = hkdfSync('sha256', material, chainingKey, NO_INFO, 3 * HASH_BYTES);
    const part = (at: number): Uint8Array => new Uint8Array(output, at * HASH_BYTES, HASH_BYTES);
    return [part(0), part(1), part(2)];
  },

  chaCha20Poly1305Encrypt(plaintext, nonce, additional, key) {
    if (plaintext.byteLength < SMALL_BYTES)
      return defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, additional, key);
    const cipher = createCipheriv(CIPHER, keyObject(key), nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(additional, { plaintextLength: plaintext.byteLength });
    if (plaintext instanceof Uint8Array) {
      const ciphertext = cipher.update(plaintext);
      cipher.final();
      return Buffer.concat([ciphertext, cipher.getAuthTag()]);
    }
    // An empty list of the library's own make: its pieces need not be joined.
    const output = plaintext.sublist(0, 0);
    for (const piece of plaintext) output.append(cipher.update(piece));
    cipher.final();
    output.append(cipher.getAuthTag());
    return output;
  },

  /** `scratch` is the ciphertext without its tag in one piece, which Noise offers as room for the plaintext. */
  chaCha20Poly1305Decrypt(ciphertext, nonce, additional, key, scratch) {
    if (ciphertext.byteLength < SMALL_BYTES)
      return defaultCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, additional, key, scratch);
    const textBytes = ciphertext.byteLength - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, keyObject(key), nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(additional, { plaintextLength: textBytes });
    decipher.setAuthTag(ciphertext.subarray(textBytes));
    const plaintext = decipher.update(scratch ?? ciphertext.subarray(0, textBytes));
    decipher.final();
    return plaintext;
  },
};
