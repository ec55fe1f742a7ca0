/** @module What garbage collection may take of a metadata node, whatever the cluster. */
import { describe, expect, it } from 'vitest';
import { COLLECTION_SHARE, collectionPauseMs } from '../../src/metadata/collection-pace.ts';

describe('the pause between two questions of garbage collection', () => {
  it.each([
    [1, 1],
    [4, 3],
    [30, 3],
    [1_000, 5],
  ])('keeps %i datanodes from taking more than its share of any of %i metadata nodes', (data, meta) => {
    const tookMs = 5;
    const cycleMs = tookMs + collectionPauseMs(tookMs, data, meta);
    const share = (Math.max(1, data / meta) * tookMs) / cycleMs;
    expect(share).toBeLessThanOrEqual(COLLECTION_SHARE * 1.05);
    expect(share).toBeGreaterThanOrEqual(COLLECTION_SHARE * 0.95);
  });

  it('has an end, even where nobody is counted yet or very many are', () => {
    expect(collectionPauseMs(5, 0, 0)).toBe(15);
    expect(collectionPauseMs(5_000, 60_000, 3)).toBe(600_000);
  });
});
