/** @module Buffers of bulk data are collected while they are young. */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { expect, it } from 'vitest';
import { collectBuffersApart } from '../../cli/garbage-collection.ts';
import { MIB } from '../../src/common/bytes.ts';
import { countShortLivedBytes } from '../../src/common/short-lived-bytes.ts';

it('collects the young once for every 8 MiB that are counted', async () => {
  collectBuffersApart();
  const kinds: unknown[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      kinds.push((entry as PerformanceEntry & { detail: { kind: number } }).detail.kind);
  });
  observer.observe({ entryTypes: ['gc'] });
  for (let mib = 0; mib < 80; mib += 1) countShortLivedBytes(MIB);
  await expect.poll(() => kinds.length).toBeGreaterThanOrEqual(10);
  observer.disconnect();
  expect(kinds.filter((kind) => kind === constants.NODE_PERFORMANCE_GC_MINOR).length).toBeGreaterThanOrEqual(
    10,
  );
});
