import { describe, expect, it } from 'vitest';
import { shrinkList, shrinkNumber } from '../../simulations/shrink.ts';

describe('shrinking', () => {
  it('finds the two of a hundred that fail together', async () => {
    const all = Array.from({ length: 100 }, (_, index) => index);
    const fails = async (part: readonly number[]): Promise<boolean> => part.includes(17) && part.includes(83);
    expect(await shrinkList(all, fails)).toEqual([17, 83]);
  });

  it('keeps everything where nothing can be left out, and nothing where nothing is needed', async () => {
    expect(await shrinkList([1, 2, 3], async (part) => part.length === 3)).toEqual([1, 2, 3]);
    expect(await shrinkList([1, 2, 3], async () => true)).toEqual([]);
  });

  it('finds the smallest number', async () => {
    expect(await shrinkNumber(5, async (number) => number >= 3)).toBe(3);
    expect(await shrinkNumber(5, async () => false)).toBe(5);
  });
});
