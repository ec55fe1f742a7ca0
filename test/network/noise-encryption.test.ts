import { Uint8ArrayList } from 'uint8arraylist';
import { describe, expect, it } from 'vitest';
import { messageLength } from '../../src/network/noise-encryption.ts';

describe('the length before a Noise message', () => {
  it('may lie in two chunks', () => {
    expect(messageLength(new Uint8ArrayList(Uint8Array.of(0x12), Uint8Array.of(0x34, 0xff)))).toBe(0x1234);
  });

  it('lets the library wait for more while a byte of it is missing', () => {
    expect(messageLength(new Uint8ArrayList())).toBe(0xffff);
    expect(messageLength(new Uint8ArrayList(Uint8Array.of(0x12)))).toBe(0xffff);
  });
});
