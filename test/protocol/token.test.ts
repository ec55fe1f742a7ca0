import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { briefAddresses, decodeToken, encodeToken, TOKEN_PREFIX } from '../../src/protocol/token.ts';

const contents = {
  clusterId: 'c1',
  tokenId: '0011223344556677',
  secret: new Uint8Array(24).fill(9),
  addresses: ['/ip4/192.0.2.1/tcp/4600/p2p/12D3KooWabc'],
};

describe('a join token', () => {
  it('comes back as it was written', () => {
    const tokens = fc.record({
      clusterId: fc.string({ minLength: 1 }),
      tokenId: fc.string({ minLength: 1 }),
      secret: fc.uint8Array({ minLength: 16, maxLength: 64 }),
      addresses: fc.array(fc.string(), { minLength: 1, maxLength: 16 }),
    });
    fc.assert(
      fc.property(tokens, (token) => {
        const back = decodeToken(encodeToken(token));
        expect({ ...back, secret: [...back.secret] }).toEqual({ ...token, secret: [...token.secret] });
      }),
    );
  });

  it('stays short on a machine with many IPv6 addresses: one that others can use is named', () => {
    const [over4, local, first, second] = [
      '/ip4/192.0.2.1/tcp/1',
      '/ip6/fd00::2/tcp/1',
      '/ip6/2001:db8::1/tcp/1',
      '/ip6/2001:db8::2/tcp/1',
    ];
    expect(briefAddresses([over4, local, first, second])).toEqual([over4, first]);
    expect(briefAddresses([local, over4])).toEqual([local, over4]);
  });

  it('forgives white space around it', () => {
    expect(decodeToken(` ${encodeToken(contents)}\n`).clusterId).toBe('c1');
  });

  it('is refused with any one character changed, left out or cut off', () => {
    const text = encodeToken(contents);
    for (let at = 0; at < text.length; at += 1) {
      const other = text[at] === 'A' ? 'B' : 'A';
      const spoiled = [
        text.slice(0, at) + other + text.slice(at + 1),
        text.slice(0, at) + text.slice(at + 1),
        text.slice(0, at),
      ];
      for (const bad of spoiled)
        expect(() => decodeToken(bad), bad).toThrow(expect.objectContaining({ code: 'PROTOCOL_BAD_TOKEN' }));
    }
  });

  it('is refused without a cluster, an address or enough secret', () => {
    for (const lacking of [
      { ...contents, clusterId: '' },
      { ...contents, addresses: [] },
      { ...contents, secret: new Uint8Array(15) },
    ])
      expect(() => decodeToken(encodeToken(lacking))).toThrow(
        expect.objectContaining({ code: 'PROTOCOL_BAD_TOKEN' }),
      );
    expect(() => decodeToken(TOKEN_PREFIX + 'A'.repeat(20_000))).toThrow(/too long/);
  });
});
