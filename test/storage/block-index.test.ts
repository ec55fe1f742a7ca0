import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BlockIndex } from '../../src/storage/block-index.ts';

const hash = (name: number): string => createHash('sha256').update(String(name)).digest('hex');
/** Of so few prefixes that many share one. */
const crowded = (name: number): string => `00${name % 8}${hash(name).slice(3)}`;

/** From the hashes themselves. */
function combinedOf(hashes: readonly string[]): { count: number; hash: string } {
  const combined = hashes.reduce((before, each) => before ^ BigInt(`0x${each}`), 0n);
  return { count: hashes.length, hash: combined.toString(16).padStart(64, '0') };
}

function said(index: BlockIndex, prefix: string): { count: number; hash: string } {
  const { count, hash: combined } = index.combined(prefix);
  return { count, hash: Buffer.from(combined).toString('hex') };
}

describe('BlockIndex', () => {
  it('has the hashes below a prefix combined, whatever came and went, twice or not at all', () => {
    const index = new BlockIndex();
    for (let name = 0; name < 400; name++) index.add(crowded(name), 1);
    for (let name = 0; name < 400; name += 3) index.delete(crowded(name));
    for (let name = 0; name < 500; name += 7) index.add(crowded(name), 1);
    for (let name = 300; name < 900; name += 2) index.delete(crowded(name));
    for (let digit = 0; digit < 8; digit++) {
      const below = index.below(`00${digit}`);
      expect(below.length).toBeGreaterThan(10);
      expect(said(index, `00${digit}`)).toEqual(combinedOf(below));
    }
    expect(said(index, '009')).toEqual(combinedOf([]));
    for (const { hash: each } of index.list(undefined, 1_000)) index.delete(each);
    expect(said(index, '000')).toEqual(combinedOf([]));
  });
});
