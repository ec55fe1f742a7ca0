/** @module Packed hash lists keep order and refuse what is none. */
import { describe, expect, it } from 'vitest';
import { countPacked, packHashes } from '../../dht/packed-hashes.ts';
import { unpackHashes } from './unpack-hashes.ts';
import { hashOf } from './index-world.ts';

describe('packed hashes', () => {
  it('come back in order', () => {
    const hashes = [hashOf('a'), hashOf('b'), hashOf('c')];
    expect(unpackHashes(packHashes(hashes))).toEqual(hashes);
    expect(countPacked(packHashes(hashes))).toBe(3);
  });

  it('refuse text that is no lower-case hex of 32 bytes', () => {
    const wrong = ['', 'ab', 'z'.repeat(64), hashOf('a').toUpperCase(), `${hashOf('a')}00`];
    for (const hash of wrong)
      expect(() => packHashes([hash])).toThrow(expect.objectContaining({ code: 'DHT_BAD_BATCH' }));
  });

  it('refuse half a hash', () => {
    expect(() => countPacked(new Uint8Array(33))).toThrow(expect.objectContaining({ code: 'DHT_BAD_BATCH' }));
  });
});
