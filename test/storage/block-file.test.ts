/** @module The format of block files. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeTail, encodeTail, rangeCount, sizeFromFile, tailBytes } from '../../src/storage/block-file.ts';
import { MAX_WRITE_NOTE_BYTES } from '../../src/storage/block-store.ts';

it('derives the size of the data from the size of the file, for every size', () => {
  fc.assert(
    fc.property(fc.nat(200 * 1024 * 1024), (sizeBytes) => {
      expect(sizeFromFile(sizeBytes + tailBytes(sizeBytes))).toBe(sizeBytes);
    }),
  );
});

it('knows sizes that no block file has', () => {
  expect(sizeFromFile(10)).toBeUndefined();
  expect(sizeFromFile(tailBytes(65_536) + 65_536 + 1)).toBeUndefined();
});

it('reads back the checksums and the origin that it wrote', () => {
  const origin = fc.record(
    {
      fileId: fc.maxSafeNat(),
      pathHint: fc.string({ maxLength: 100 }).filter((hint) => hint.isWellFormed()),
      position: fc.nat(2 ** 31 - 1),
      write: fc.uint8Array({ minLength: 1, maxLength: MAX_WRITE_NOTE_BYTES }),
    },
    { requiredKeys: ['fileId', 'pathHint', 'position'] },
  );
  fc.assert(
    fc.property(origin, fc.integer({ min: 1, max: 300_000 }), (from, sizeBytes) => {
      const block = { hash: 'ab'.repeat(32), sizeBytes, origin: from };
      const crcs = Array.from({ length: rangeCount(sizeBytes) }, (_, at) => (at * 2_654_435_761) >>> 0);
      const tail = decodeTail(block.hash, sizeBytes, encodeTail(block, crcs));
      expect([...tail.crcs]).toEqual(crcs);
      expect(tail.origin).toEqual(from);
    }),
  );
});
