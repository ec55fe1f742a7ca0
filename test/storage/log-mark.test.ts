import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/common/bytes.ts';
import { decodeMark, encodeMark, type Mark } from '../../src/storage/log-mark.ts';

const MARK: Mark = {
  count: 2 ** 32 + 5,
  boot: 3,
  standing: {
    sequence: Number.MAX_SAFE_INTEGER,
    term: 4,
    vote: 2,
    lastIndex: 2 ** 40 + 1,
    lastTerm: 2 ** 32 - 1,
  },
  owner: { inode: 2n ** 64n - 1n, bornNs: 1_763_796_000_123_456_789n },
};
const number = fc.maxSafeNat();
const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe('the mark beside a Raft log', () => {
  it('is written as it always was: what an earlier release left is read', () => {
    const words = [
      0x4846524d_0000_0001n,
      ...[MARK.count, MARK.boot, MARK.standing.sequence, 4, 2, MARK.standing.lastIndex, 2 ** 32 - 1].map(
        BigInt,
      ),
      MARK.owner.inode,
      MARK.owner.bornNs,
    ];
    const expected = new BigUint64Array(words);
    expect(toHex(encodeMark(MARK, 512).subarray(0, 80))).toBe(toHex(new Uint8Array(expected.buffer)));
  });

  it('says the same again, whatever the numbers are', () => {
    const standing = fc.record({
      sequence: number,
      term: number,
      vote: number,
      lastIndex: number,
      lastTerm: number,
    });
    const owner = fc.record({ inode: word, bornNs: word });
    fc.assert(
      fc.property(fc.record({ count: number, boot: number, standing, owner }), (mark) => {
        expect(decodeMark(encodeMark(mark, 512))).toEqual(mark);
      }),
    );
  });

  it('is none once any of its bytes is another', () => {
    const bytes = encodeMark(MARK, 512);
    for (let at = 0; at < 88; at += 1) {
      const spoilt = bytes.slice();
      spoilt[at] = (spoilt[at] ?? 0) ^ 1;
      expect(decodeMark(spoilt)).toBeUndefined();
    }
  });
});
