import { expect, it } from 'vitest';
import { GIB } from '../../src/common/bytes.ts';
import { DEFAULT_INDEX_BYTES } from '../../src/metadata/location-index.ts';
import { defaultIndexBytes } from '../../src/node/index-memory.ts';

it('gives the location index a quarter of a large machine, and of a small one what is usual', () => {
  expect(defaultIndexBytes(64 * GIB)).toBe(16 * GIB);
  expect(defaultIndexBytes(2 * GIB)).toBe(DEFAULT_INDEX_BYTES);
  expect(defaultIndexBytes()).toBeGreaterThanOrEqual(DEFAULT_INDEX_BYTES);
});
