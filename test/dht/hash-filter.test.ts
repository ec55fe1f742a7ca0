/** @module A filter of hashes. */
import { expect, it } from 'vitest';
import { HashFilter } from '../../dht/hash-filter.ts';
import { packHashes } from '../../dht/packed-hashes.ts';
import { hashOf } from './index-world.ts';

function view(from: number, count: number): DataView {
  return new DataView(
    Uint8Array.from(packHashes(Array.from({ length: count }, (_, at) => hashOf(from + at)))).buffer,
  );
}

it('passes every hash that it has, and few that it does not', () => {
  const mine = view(0, 2_000);
  const others = view(10_000, 2_000);
  const filter = new HashFilter(new Uint8Array(mine.buffer));
  let passed = 0;
  for (let offset = 0; offset < mine.byteLength; offset += 32) {
    expect(filter.mayHave(mine, offset)).toBe(true);
    if (filter.mayHave(others, offset)) passed++;
  }
  expect(passed).toBeLessThan(60);
  expect(filter.sizeBytes).toBe(2_500);
});
