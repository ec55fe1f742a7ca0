import { describe, expect, it } from 'vitest';
import { Prng } from '../../simulations/prng.ts';
import { SizedBlocks } from '../../simulations/world/sized-blocks.ts';

describe('SizedBlocks', () => {
  it('takes as many bytes as its blocks have, whatever comes, is replaced, goes, or was not there', () => {
    const random = new Prng(1, 'sized blocks');
    const blocks = new SizedBlocks<number>((sizeBytes) => sizeBytes);
    for (let step = 0; step < 2_000; step += 1) {
      const hash = `${random.int(20)}`;
      if (random.chance(0.6)) blocks.set(hash, random.int(1_000));
      else blocks.delete(hash);
      expect(blocks.bytes).toBe(blocks.all().reduce((sum, sizeBytes) => sum + sizeBytes, 0));
    }
    expect(blocks.count).toBeGreaterThan(0);
    blocks.clear();
    expect([blocks.bytes, blocks.count, blocks.hashes()]).toEqual([0, 0, []]);
  });
});
