/** @module Whether this processor has instructions for SHA-256, which are faster than lanes. */
import { createHash } from 'node:crypto';
import { KIB } from './bytes.ts';

const MESSAGE_BYTES: number = 64 * KIB;
/** Of measurements: the fastest one was not interrupted. */
const ATTEMPTS = 5;

/**
 * Whether OpenSSL computes SHA-256 with instructions made for it, about as fast as lanes and without their company: without them SHA-512,
 * which takes 64 bits at a time, is the faster of the two. Takes some 2 ms; says yes when in doubt.
 */
export function hasSha256Instructions(nowMs: () => number): boolean {
  const message = new Uint8Array(MESSAGE_BYTES);
  const fastest = { sha256: Number.POSITIVE_INFINITY, sha512: Number.POSITIVE_INFINITY };
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1)
    for (const name of ['sha256', 'sha512'] as const) {
      const beganMs = nowMs();
      createHash(name).update(message).digest();
      fastest[name] = Math.min(fastest[name], nowMs() - beganMs);
    }
  return fastest.sha256 <= fastest.sha512;
}
