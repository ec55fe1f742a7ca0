/** @module Four lanes of SHA-256 against OpenSSL's. */
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { KIB, toHex } from '../../src/common/bytes.ts';
import { drain, Sha256Lanes } from '../../src/common/sha256-lanes.ts';
import { LANES } from '../../src/common/sha256-lanes-code.ts';

const one = (pieces: readonly Uint8Array[]): string =>
  pieces.reduce((hash, piece) => hash.update(piece), createHash('sha256')).digest('hex');

/** `bytes` in pieces of all sizes, some of them empty. */
function torn(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let from = 0, size = 0; from < bytes.byteLength; from += size, size = (size * 5 + 3) % 70_001)
    pieces.push(bytes.subarray(from, from + size));
  return pieces;
}

describe('Sha256Lanes', () => {
  it('agrees with OpenSSL about messages of any length, in any pieces', () => {
    const lanes = new Sha256Lanes();
    for (const size of [
      0,
      1,
      3,
      55,
      56,
      63,
      64,
      65,
      119,
      120,
      64 * KIB - 9,
      64 * KIB,
      64 * KIB + 1,
      300 * KIB + 7,
    ]) {
      const messages = Array.from({ length: LANES }, () => torn(randomBytes(size)));
      const digests = drain(lanes.digest(messages, size)).map(toHex);
      expect(digests, `${size} bytes`).toEqual(messages.map(one));
    }
  });

  it('lets groups take turns without mixing them up', () => {
    const lanes = new Sha256Lanes();
    const size = 200 * KIB;
    const groups = [0, 1].map(() => Array.from({ length: LANES }, () => torn(randomBytes(size))));
    const works = groups.map((messages) => lanes.digest(messages, size));
    works[0]?.next();
    works[1]?.next();
    expect(works.map((work) => drain(work).map(toHex))).toEqual(groups.map((messages) => messages.map(one)));
  });
});
